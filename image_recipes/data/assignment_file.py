"""The file that keeps which picture went where: read again, small, and mergeable line by line."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.core.files import write_text
from image_recipes.core.loading import loading
from image_recipes.core.params import SPLIT_NAMES

COLUMNS = ["path", "sha256", "split", "leak"]
# the first line of the file: of pictures that are divided as they are published, none follows
IN_PUBLISHED_ORDER = "# in the published order"
SETTINGS = r"# seed [0-9]+, train .+, validation .+, test .+, keep_together .+"
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
    if not file.exists():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    with loading(file, f"fix it, or take the last one by `git checkout {file}`"):
        settings, _, content = file.read_bytes().decode("utf-8").partition("\n")
        if settings == IN_PUBLISHED_ORDER:
            return pd.DataFrame(columns=COLUMNS, dtype=str)
        rows = _parse(settings, content)
    if settings != f"# {made_by}":
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    return pd.DataFrame(rows, columns=COLUMNS, dtype=str)


def _parse(settings: str, content: str) -> list[list[str]]:
    if not re.fullmatch(SETTINGS, settings):
        raise ValueError("its first line is not that of a division")
    if not content.endswith("\n"):
        raise ValueError("its last line is not whole")
    header, *rows = csv.reader(io.StringIO(content, newline=""), strict=True)
    if header != COLUMNS or not rows:
        raise ValueError("it names no pictures")
    for number, row in enumerate(rows, 3):
        if len(row) != len(COLUMNS) or row[2] not in SPLIT_NAMES or not re.fullmatch("[0-9a-f]{12,64}", row[1]):
            raise ValueError(f"no picture with its split in row {number:,}")
    return [[path, sha256[:DIGITS], split, leak] for path, sha256, split, leak in rows]


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
