"""Predictions for tests, as a model's outputs make them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from image_recipes.core.dataset import Subset
from image_recipes.results.predictions import tabulate_predictions
from recipes import class_info, number_info


def of_classes(
    real: Sequence[int], probabilities: Sequence[Sequence[float]] | np.ndarray, classes: Sequence[str]
) -> pd.DataFrame:
    """Tabulate probabilities of (N, classes) for pictures of these class numbers."""
    outputs = np.array(probabilities, np.float32)
    return tabulate_predictions(_pictures(np.array(real)), outputs, class_info((1, 1, 1), classes))


def of_numbers(real: Sequence[float], predicted: Sequence[float]) -> pd.DataFrame:
    """Tabulate numbers predicted for pictures of these numbers."""
    outputs = np.array(predicted, np.float32)[:, np.newaxis]
    return tabulate_predictions(_pictures(np.array(real, np.float32)), outputs, number_info((1, 1, 1)))


def _pictures(targets: np.ndarray) -> Subset:
    return Subset(np.zeros((len(targets), 1, 1, 1), np.uint8), targets, np.arange(len(targets)))
