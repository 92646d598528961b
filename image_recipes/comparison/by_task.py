"""How the recipes of each task are compared."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from image_recipes.comparison.significance import compare_classes, compare_numbers
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task


class ComparisonOfTask(NamedTuple):
    """How recipes of a task are compared.

    Attributes:
        table_columns: the figures in the table of recipes, the main metric of the test first.
        test_pairs: tests pairs of names, given predictions by name, the pairs and a seed; returns
            for each first, second, pictures, p, favours_first and what else its table shows.
    """

    table_columns: tuple[str, ...]
    test_pairs: Callable[[Mapping[str, pd.DataFrame], Sequence[tuple[str, str]], int], list[dict[str, Any]]]


COMPARISON: dict[Task, ComparisonOfTask] = {
    CLASSIFICATION: ComparisonOfTask(
        table_columns=("test_accuracy", "test_loss", "val_accuracy", "val_loss", "train_accuracy"),
        test_pairs=compare_classes,
    ),
    REGRESSION: ComparisonOfTask(
        table_columns=("test_mse", "test_mae", "test_r2", "val_mse", "train_mse"),
        test_pairs=compare_numbers,
    ),
}
