"""How a model's outputs become a table of predictions, for each task."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo
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
    """

    region_columns: tuple[str, ...]
    tabulate_region: Callable[[np.ndarray, DatasetInfo], list[list[Any]]]
    tabulate: Callable[[np.ndarray, np.ndarray, DatasetInfo], pd.DataFrame]
    text_columns: tuple[str, ...]


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


RESULTS: dict[Task, ResultsOfTask] = {
    CLASSIFICATION: ResultsOfTask(
        region_columns=("prediction_set",),
        tabulate_region=_tabulate_sets,
        tabulate=_tabulate_classes,
        text_columns=("real", "predicted", "prediction_set"),
    ),
    REGRESSION: ResultsOfTask(
        region_columns=("low", "high"),
        tabulate_region=lambda region, info: region.tolist(),
        tabulate=_tabulate_numbers,
        text_columns=(),
    ),
}
