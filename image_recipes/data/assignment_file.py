"""The file that keeps which picture went where: read again, small, and mergeable line by line."""

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text
from image_recipes.core.params import SPLIT_NAMES

COLUMNS = ["path", "sha256", "split", "leak"]
# where pictures go that no split takes
UNUSED = ""
# of a sha256: enough that no two of a million pictures share them
DIGITS = 12


def find_before(pictures: pd.DataFrame, before: pd.DataFrame) -> np.ndarray:
    """Find the split that each picture had before: by its content, or else by its path.

    Args:
        pictures: columns path and sha256.
        before: as `load_assignment` returns it.

    Returns:
        Names of splits, (N,); empty for new pictures.
    """
    by_content = dict(zip(before["sha256"], before["split"], strict=True))
    named = before[before["path"] != ""]
    by_path = dict(zip(named["path"], named["split"], strict=True))
    return np.array(
        [
            by_content.get(sha256[:DIGITS], by_path.get(path, UNUSED))
            for path, sha256 in zip(pictures["path"], pictures["sha256"], strict=True)
        ],
        object,
    )


def load_assignment(file: Path, made_by: str) -> pd.DataFrame:
    """Load which picture had which split; none if other settings made the file, or there is none.

    Args:
        file: as `save_assignment` writes it, or as it was once, with all paths and whole sha256.
        made_by: the settings.

    Returns:
        Columns path (may be empty), sha256 (its first DIGITS), split, leak.

    Raises:
        UserError: the file is damaged, as by a merge.
    """
    lines = file.read_text("utf-8").split("\n", 1) if file.exists() else [""]
    if lines[0] != f"# {made_by}":
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    rows = list(csv.DictReader(io.StringIO(lines[1])))
    if any(set(row) != set(COLUMNS) or row["split"] not in SPLIT_NAMES for row in rows):
        raise UserError(f"{file}: damaged: fix it, or take the last one by `git checkout {file}`")
    table = pd.DataFrame(rows, columns=COLUMNS, dtype=str)
    return table.assign(sha256=table["sha256"].str[:DIGITS])


def save_assignment(pictures: pd.DataFrame, before: pd.DataFrame, made_by: str, file: Path) -> None:
    """Write which picture has which split, below a line with the settings.

    First those of validation and test, in order of their paths; then those of training, without paths, since
    they are most. Pictures that are gone stay in it, so that they find their place if they come back.

    Args:
        pictures: columns path, sha256, assigned, leak.
        before: as `load_assignment` returns it.
        made_by: the settings.
        file: the CSV file.
    """
    now = pictures[pictures["assigned"] != UNUSED].drop(columns="split", errors="ignore")
    now = now.rename(columns={"assigned": "split"})[COLUMNS]
    now["sha256"] = now["sha256"].str[:DIGITS]
    gone = before[~before["sha256"].isin(now["sha256"]) & ~before["path"].isin(now["path"])]
    table = pd.concat([now, gone.assign(leak="")])
    training = table["split"] == "train"
    judged = table[~training].sort_values(["path", "sha256"])
    table = pd.concat([judged, table[training].assign(path="").sort_values("sha256")]).drop_duplicates()
    write_text(f"# {made_by}\n" + table.to_csv(index=False, lineterminator="\n"), file)
