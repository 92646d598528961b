"""Labels that are probably wrong: the table that the stage `suspects` leaves, and what recipes hand to it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.files import save_table, written_whole
from image_recipes.core.loading import Kind, by_stage, check_positions, load_array, load_json, load_table, loading
from image_recipes.core.params import SPLIT_NAMES
from image_recipes.results.by_task import RESULTS
from image_recipes.results.metrics import save_metrics
from image_recipes.results.paths import PATH, insert_paths

OUT_OF_FOLD_FOLDER = Path("data/out_of_fold")
SUSPECTS_FOLDER = Path("metrics/suspects")
COLUMNS: dict[str, Kind] = {
    "rank": "count",
    "split": "text",
    "index": "count",
    PATH: "text",
    # of classes: texts
    "label": "number",
    "suggested": "number",
    "doubt": "number",
    "doubted_by": "count",
}


def save_out_of_fold(outputs: np.ndarray, dataset: str, recipe: str) -> None:
    """Write what a recipe's features say of pictures out of fold, (N, units), whole or not at all."""
    with written_whole(OUT_OF_FOLD_FOLDER / dataset / f"{recipe}.npy") as partial:
        np.save(partial, outputs, allow_pickle=False)


def load_out_of_fold(dataset: str, recipe: str, pictures: int, info: DatasetInfo) -> np.ndarray:
    """Read what a recipe's features say of so many pictures, those of training, validation and test in this order.

    Returns:
        float32 (pictures, classes), or (pictures, 1) of numbers.

    Raises:
        UserError: the file is missing or damaged, or holds those of other pictures.
    """
    file = OUT_OF_FOLD_FOLDER / dataset / f"{recipe}.npy"
    with loading(file, by_stage(f"evaluate@{recipe}")):
        units = 1 if info.classes is None else len(info.classes)
        return np.array(load_array(file, np.float32, (pictures, units)))


class Suspects(NamedTuple):
    """Labels that are probably wrong.

    Attributes:
        table: rank (from 1), split, index, path, label, suggested, doubt, doubted_by: a row for each, the most
            doubtful first.
        labels: how many the dataset has.
        judged: of how many of them anything could be said.
        recipes: how many have said it.
    """

    table: pd.DataFrame
    labels: int
    judged: int
    recipes: int


def tabulate_suspects(found: pd.DataFrame, pool: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Say which pictures the suspicious labels are of.

    Args:
        found: as `find_suspects` returns it, with the column `position` in the pool.
        pool: split and index of each picture.
        dataset: its name.

    Returns:
        The table of `Suspects`.

    Raises:
        UserError: the list of picture files is damaged.
    """
    rows = pool.iloc[found["position"].astype(int)].reset_index(drop=True)
    rows = insert_paths(rows, Path("data/prepared") / dataset)
    rows.insert(0, "rank", np.arange(1, len(rows) + 1))
    return pd.concat([rows, found.drop(columns="position")], axis=1)


def save_suspects(suspects: Suspects, dataset: str) -> None:
    """Write the table as CSV, and the numbers beside it as JSON, each whole or not at all."""
    save_table(suspects.table, SUSPECTS_FOLDER / f"{dataset}.csv")
    counts = {"labels": suspects.labels, "judged": suspects.judged, "recipes": suspects.recipes}
    save_metrics(counts | {"suspicious": len(suspects.table)}, SUSPECTS_FOLDER / f"{dataset}.json")


def load_suspects(dataset: str, info: DatasetInfo) -> Suspects | None:
    """Read which labels are suspicious; None if nobody has looked, as in a project of an earlier version.

    Raises:
        UserError: a file is damaged.
    """
    file = SUSPECTS_FOLDER / f"{dataset}.csv"
    if not file.exists():
        return None
    kind: Kind = "text" if RESULTS[info.task].text_columns else "number"
    with loading(file, by_stage(f"suspects@{dataset}")):
        table = load_table(file, {**COLUMNS, "label": kind, "suggested": kind})
        check_positions(table["index"].to_numpy(np.int64), info.pictures)
        if not table["split"].isin(SPLIT_NAMES).all():
            raise ValueError("it names a split that there is not")
        counts = load_json(file.with_suffix(".json"))
        found = [counts[name] for name in ("labels", "judged", "recipes")]
        if any(type(count) is not int or count < 0 for count in found):
            raise ValueError("its numbers are none")
        return Suspects(table[list(COLUMNS)], *found)
