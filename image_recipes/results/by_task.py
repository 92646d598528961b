"""How a model's outputs become a table of predictions, for each task."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.loading import check_columns
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task

# before a class's name, the column of its probability
PROBABILITY = "probability_"
# in the text of a prediction set
BETWEEN_CLASSES = " | "


class ResultsOfTask(NamedTuple):
    """What a task's predictions look like.

    Attributes:
        region_columns: say in what the true answer lies for the wanted share of pictures.
        tabulate_region: makes their values, a list of names or numbers, of a region, bool (N, classes) or the ends
            (N, 2), and the info.
        tabulate: makes the columns real, predicted and more, a row for each picture, of targets
            (N,), a model's outputs (N, units) and the dataset's info.
        text_columns: of those, the ones that are texts even if they look like numbers.
        check: raises ValueError if a table of these, read again, is not of the info's classes or numbers.
        metrics: what every file of metrics says of the test pictures.
    """

    region_columns: tuple[str, ...]
    tabulate_region: Callable[[np.ndarray, DatasetInfo], list[list[Any]]]
    tabulate: Callable[[np.ndarray, np.ndarray, DatasetInfo], pd.DataFrame]
    text_columns: tuple[str, ...]
    check: Callable[[pd.DataFrame, DatasetInfo], None]
    metrics: tuple[str, ...]


def _tabulate_classes(targets: np.ndarray, outputs: np.ndarray, info: DatasetInfo) -> pd.DataFrame:
    names = np.array(info.class_names)
    table = pd.DataFrame({"real": names[targets], "predicted": names[outputs.argmax(axis=1)]})
    probabilities = pd.DataFrame(outputs, columns=[PROBABILITY + name for name in names])
    return pd.concat([table, probabilities], axis=1)


def _tabulate_numbers(targets: np.ndarray, outputs: np.ndarray, info: DatasetInfo) -> pd.DataFrame:
    return pd.DataFrame({"real": targets, "predicted": outputs[:, 0]})


def _tabulate_sets(region: np.ndarray, info: DatasetInfo) -> list[list[Any]]:
    names = np.array(info.class_names, object)
    return [[names[inside].tolist()] for inside in region]


def _check_classes(table: pd.DataFrame, info: DatasetInfo) -> None:
    columns = [PROBABILITY + name for name in info.class_names]
    if [name for name in map(str, table) if name.startswith(PROBABILITY)] != columns:
        raise ValueError("its probabilities are not those of the dataset's classes")
    check_columns(table, {"real": "text", "predicted": "text", **dict.fromkeys(columns, "number")})
    if not table[["real", "predicted"]].isin(info.class_names).all(axis=None):
        raise ValueError("it names a class that there is not")


def _check_numbers(table: pd.DataFrame, info: DatasetInfo) -> None:
    names = ("real", "predicted", *(name for name in ("low", "high") if name in table))
    check_columns(table, dict.fromkeys(names, "number"))
    if not np.isfinite(table["real"]).all():
        raise ValueError("a real number is missing")


RESULTS: dict[Task, ResultsOfTask] = {
    CLASSIFICATION: ResultsOfTask(
        region_columns=("prediction_set",),
        tabulate_region=_tabulate_sets,
        tabulate=_tabulate_classes,
        text_columns=("real", "predicted", "prediction_set"),
        check=_check_classes,
        metrics=("test_accuracy", "test_accuracy_low", "test_accuracy_high"),
    ),
    REGRESSION: ResultsOfTask(
        region_columns=("low", "high"),
        tabulate_region=lambda region, info: region.tolist(),
        tabulate=_tabulate_numbers,
        text_columns=(),
        check=_check_numbers,
        metrics=("test_mse", "test_mae", "test_r2", "test_r2_low", "test_r2_high"),
    ),
}
