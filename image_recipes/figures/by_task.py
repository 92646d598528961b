"""What is drawn for each task."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.figures.galleries import (
    Shown,
    Title,
    choose_some,
    choose_wrong,
    title_class_predictions,
    title_class_samples,
    title_number_predictions,
    title_number_samples,
)
from image_recipes.figures.overview import PlotTargets, plot_class_counts, plot_number_histogram
from image_recipes.figures.predictions import PlotPredictions, plot_confusion, plot_scatter


class FiguresOfTask(NamedTuple):
    """How a task's data and results are drawn.

    Attributes:
        plot_targets: draws on axes what the targets of each split are.
        curves: the columns of a history that are drawn, in their order.
        plot_predictions: draws on axes predictions against reality.
        choose_shown: chooses the predictions for a gallery.
        title_samples: returns a title for each of the targets (N,).
        title_predictions: returns a title for each prediction.
    """

    plot_targets: PlotTargets
    curves: tuple[str, ...]
    plot_predictions: PlotPredictions
    choose_shown: Callable[[pd.DataFrame], Shown]
    title_samples: Callable[[np.ndarray, DatasetInfo], list[Title]]
    title_predictions: Callable[[pd.DataFrame], list[Title]]


FIGURES: dict[Task, FiguresOfTask] = {
    CLASSIFICATION: FiguresOfTask(
        plot_class_counts,
        ("accuracy", "loss"),
        plot_confusion,
        choose_wrong,
        title_class_samples,
        title_class_predictions,
    ),
    REGRESSION: FiguresOfTask(
        plot_number_histogram,
        ("loss",),
        plot_scatter,
        choose_some,
        title_number_samples,
        title_number_predictions,
    ),
}
