"""The predictions of a recipe as a table: a row for each picture of every split."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.core.errors import UserError
from image_recipes.core.files import choose_quoting, written_whole
from image_recipes.core.loading import by_stage, check_columns, check_names, check_positions, loading, parse_table
from image_recipes.core.params import SPLIT_NAMES
from image_recipes.results.by_task import BETWEEN_CLASSES, PROBABILITY, RESULTS
from image_recipes.results.paths import PATH


def tabulate_predictions(pictures: Subset, outputs: np.ndarray, info: DatasetInfo) -> pd.DataFrame:
    """Make a table with one row for each picture, in the order of the split.

    Args:
        pictures: N of them.
        outputs: of a model for these, (N, classes), probabilities, or (N, 1).
        info: the dataset's.

    Returns:
        Columns index (the position in the prepared images), real, predicted. For classes the
        latter two are names, and a column `probability_<name>` follows for each class.
    """
    table = RESULTS[info.task].tabulate(pictures.targets, outputs, info)
    table.insert(0, "index", pictures.indices)
    return table


def insert_judgement(
    table: pd.DataFrame, region: np.ndarray | None, unfamiliar: np.ndarray, info: DatasetInfo
) -> pd.DataFrame:
    """Say beside each prediction how far to trust it.

    Args:
        table: N predictions.
        region: what holds the true answer for the wanted share of pictures, bool (N, classes) or ends (N, 2);
            None if that is not known.
        unfamiliar: bool, (N,).
        info: the dataset's.

    Returns:
        A new table. After `predicted` come prediction_set (names, joined by ` | `), or low and high, if they are known;
        and unfamiliar: whether the picture is unlike the training pictures.
    """
    results = RESULTS[info.task]
    added = pd.DataFrame(index=table.index)
    if region is not None:
        values = [list(map(_join, row)) for row in results.tabulate_region(region, info)]
        added = pd.DataFrame(values, columns=list(results.region_columns), index=table.index)
    added["unfamiliar"] = unfamiliar
    place = list(table.columns).index("predicted") + 1
    return pd.concat([table.iloc[:, :place], added, table.iloc[:, place:]], axis=1)


def _join(value: list[str] | float) -> str | float:
    return BETWEEN_CLASSES.join(value) if isinstance(value, list) else value


def save_predictions(predictions: Mapping[str, pd.DataFrame], file: Path) -> None:
    """Write the predictions of some splits, by the split's name, as one CSV file with a column `split`."""
    table = pd.concat(predictions, names=["split"]).reset_index("split").reset_index(drop=True)
    with written_whole(file) as partial:
        table.to_csv(partial, index=False, quoting=choose_quoting(table))


def load_predictions(file: Path, info: DatasetInfo, split: str = "test") -> pd.DataFrame:
    """Read a recipe's predictions of one split; classes' names stay text, such as the class `007`.

    Raises:
        UserError: the file is missing or is no such table.
    """
    return _load(file, info, split, f"evaluate@{file.stem}")


def find_positions(dataset: str, info: DatasetInfo, recipe: str) -> dict[str, np.ndarray]:
    """Find the pictures that a recipe has learned from, and those that judged meanwhile, by its predictions.

    Returns:
        int64, the positions in the prepared images: `train` and `validation`.

    Raises:
        UserError: as `load_predictions`.
    """
    file = Path(f"data/predictions/{dataset}/{recipe}.csv")
    return {split: load_predictions(file, info, split)["index"].to_numpy() for split in ("train", "validation")}


def load_baselines(folder: Path, info: DatasetInfo) -> dict[str, pd.DataFrame]:
    """Read the predictions of a dataset's baselines for the test pictures, by name.

    Raises:
        UserError: there are none, or a file is no such table.
    """
    stage = f"baseline@{folder.name}"
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise UserError(f"{folder}: missing: make it by `dvc repro {stage}`")
    return {file.stem: _load(file, info, "test", stage) for file in files}


def _load(file: Path, info: DatasetInfo, split: str, stage: str) -> pd.DataFrame:
    with loading(file, by_stage(stage)):
        return parse_predictions(file.read_bytes(), info, split)


def parse_predictions(content: bytes, info: DatasetInfo, split: str = "test") -> pd.DataFrame:
    """Read the predictions of one split from the bytes of a file.

    A file without a column `split`, as earlier versions wrote it, holds test pictures.

    Returns:
        As `tabulate_predictions`.

    Raises:
        ValueError: they are no such table.
    """
    known = RESULTS[info.task].text_columns
    types = dict.fromkeys(["split", PATH, *known], str)
    table = parse_table(content, {"index": "count"}, dtype=types)
    check_names(table.columns, ("real", "predicted"))
    if "split" in table:
        if not table["split"].isin(SPLIT_NAMES).all():
            raise ValueError("it names a split that there is not")
        table = table[table["split"] == split].drop(columns="split")
    elif split != "test":
        table = table.iloc[:0]
    texts = [name for name in (PATH, *known) if name in table]
    # an empty cell, of a network that has diverged, is text where NA is a class
    numbers = table[table.columns.difference(texts, sort=False)].apply(pd.to_numeric)
    chosen = pd.concat([table[texts], numbers], axis=1)[list(table)].reset_index(drop=True)
    if not len(chosen):
        raise ValueError(f"no predictions of {split} pictures")
    check_positions(chosen["index"].to_numpy(), info.pictures)
    check_columns(chosen, dict.fromkeys(texts, "text"))
    RESULTS[info.task].check(chosen, info)
    return chosen


def class_columns(predictions: pd.DataFrame) -> list[str]:
    """Return the names of the columns of probabilities, in the order of the classes."""
    return [name for name in predictions.columns if name.startswith(PROBABILITY)]


def probabilities(predictions: pd.DataFrame) -> np.ndarray:
    """Return the probabilities of the classes, (N, classes)."""
    return predictions[class_columns(predictions)].to_numpy()


def rank_by_confidence(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rank predictions of classes by the probability of the predicted class, the least sure first."""
    return predictions.iloc[probabilities(predictions).max(axis=1).argsort(kind="stable")]
