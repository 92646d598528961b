"""What is computed from the predictions of each task, and what its recipes have to beat."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.evaluation.baselines import predict_class_baselines, predict_number_baselines
from image_recipes.evaluation.measures import (
    break_down_classes,
    break_down_numbers,
    count_class_confusions,
    count_number_confusions,
    measure_classes,
    measure_numbers,
    rank_class_errors,
    rank_number_errors,
    score_classes,
    score_numbers,
)
from image_recipes.evaluation.out_of_fold import predict_classes_by_folds, predict_numbers_by_folds
from image_recipes.evaluation.references import References
from image_recipes.evaluation.suspects import find_class_suspects, find_number_suspects
from image_recipes.results.metrics import Metrics


class EvaluationOfTask(NamedTuple):
    """How predictions of a task are judged.

    Attributes:
        score: the metrics that are computed for every split, the main one among them.
        measure: all metrics of test predictions, from them, the dataset's info and a seed.
        break_down: a table of how good predictions are for which pictures.
        count_confusions: a table of what is predicted how often for what, from the same.
        rank_errors: the errors, worst first, with a column `loss`.
        predict_baselines: outputs of models that need no network, by name, for the test pictures, and what
            they have learned from, if not from everything; from the dataset's info, the three splits and a
            seed. `linear` is among them.
        predict_by_folds: what a network's features say of pictures whose labels it was not taught, (N, units); from
            the features, the labels, the groups of pictures and the dataset's info.
        find_suspects: the labels that are probably wrong, the most doubtful first; from the labels, such
            predictions of each recipe and the dataset's info.
    """

    score: Callable[[pd.DataFrame], Metrics]
    measure: Callable[[pd.DataFrame, DatasetInfo, int], Metrics]
    break_down: Callable[[pd.DataFrame, DatasetInfo], pd.DataFrame]
    count_confusions: Callable[[pd.DataFrame, DatasetInfo], pd.DataFrame]
    rank_errors: Callable[[pd.DataFrame], pd.DataFrame]
    predict_baselines: Callable[[DatasetInfo, Mapping[str, Subset], int], References]
    predict_by_folds: Callable[[np.ndarray, np.ndarray, np.ndarray, DatasetInfo], np.ndarray]
    find_suspects: Callable[[np.ndarray, Sequence[np.ndarray], DatasetInfo], pd.DataFrame]


EVALUATION: dict[Task, EvaluationOfTask] = {
    CLASSIFICATION: EvaluationOfTask(
        score_classes,
        measure_classes,
        break_down_classes,
        count_class_confusions,
        rank_class_errors,
        predict_class_baselines,
        predict_classes_by_folds,
        find_class_suspects,
    ),
    REGRESSION: EvaluationOfTask(
        score_numbers,
        measure_numbers,
        break_down_numbers,
        count_number_confusions,
        rank_number_errors,
        predict_number_baselines,
        predict_numbers_by_folds,
        find_number_suspects,
    ),
}


def score_task(task: Task, predictions: pd.DataFrame) -> float | None:
    """Return the main metric of predictions: accuracy, or mse."""
    return EVALUATION[task].score(predictions)[task.metric]
