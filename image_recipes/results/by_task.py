"""How a model's outputs become a table of predictions, for each task."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task

# before a class's name, the column of its probability
PROBABILITY = "probability_"


class ResultsOfTask(NamedTuple):
    """What a task's predictions look like.

    Attributes:
        tabulate: makes the columns real, predicted and more, a row for each picture, of targets
            (N,), a model's outputs (N, units) and the dataset's info.
        text_columns: of those, the ones that are texts even if they look like numbers.
    """

    tabulate: Callable[[np.ndarray, np.ndarray, DatasetInfo], pd.DataFrame]
    text_columns: tuple[str, ...]


def _tabulate_classes(targets: np.ndarray, outputs: np.ndarray, info: DatasetInfo) -> pd.DataFrame:
    names = np.array(info.class_names)
    table = pd.DataFrame({"real": names[targets], "predicted": names[outputs.argmax(axis=1)]})
    probabilities = pd.DataFrame(outputs, columns=[PROBABILITY + name for name in names])
    return pd.concat([table, probabilities], axis=1)


def _tabulate_numbers(targets: np.ndarray, outputs: np.ndarray, info: DatasetInfo) -> pd.DataFrame:
    return pd.DataFrame({"real": targets, "predicted": outputs[:, 0]})


RESULTS: dict[Task, ResultsOfTask] = {
    CLASSIFICATION: ResultsOfTask(_tabulate_classes, text_columns=("real", "predicted")),
    REGRESSION: ResultsOfTask(_tabulate_numbers, text_columns=()),
}
