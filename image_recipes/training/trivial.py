"""The answer that needs no pictures: what training has to beat before it has learned anything."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task


class TrivialAnswer(NamedTuple):
    """One answer to all pictures.

    Attributes:
        words: such as `always answering birch`.
        answer: as the targets are.
        figure: that progress shows, of the validation pictures: their accuracy or MSE.
        loss: of the validation pictures: of classes, if all are as likely as they are frequent.
    """

    words: str
    answer: float
    figure: float
    loss: float

    def figure_of(self, targets: np.ndarray, task: Task) -> float:
        """Return the same figure of other pictures, by their targets (N,)."""
        return FIGURES_OF[task](targets, self.answer)


def find_trivial(info: DatasetInfo, train: np.ndarray, validation: np.ndarray) -> TrivialAnswer:
    """Find the best answer that is the same for all pictures.

    Args:
        info: of the dataset.
        train: targets (N,), which decide on it.
        validation: targets (N,), which judge it.
    """
    answer, words = ANSWERS[info.task](info, train)
    return TrivialAnswer(words, answer, FIGURES_OF[info.task](validation, answer), LOSSES[info.task](train, validation))


def _most_frequent(info: DatasetInfo, targets: np.ndarray) -> tuple[float, str]:
    answer = int(np.bincount(targets).argmax())
    return answer, f"always answering {info.class_names[answer]}"


def _mean(info: DatasetInfo, targets: np.ndarray) -> tuple[float, str]:
    answer = float(targets.mean(dtype=float))
    return answer, f"always answering the mean, {answer:.4g} {info.unit or ''}".rstrip()


ANSWERS: dict[Task, Callable[[DatasetInfo, np.ndarray], tuple[float, str]]] = {
    CLASSIFICATION: _most_frequent,
    REGRESSION: _mean,
}
FIGURES_OF: dict[Task, Callable[[np.ndarray, float], float]] = {
    CLASSIFICATION: lambda targets, answer: float((targets == answer).mean()),
    REGRESSION: lambda targets, answer: float(((targets.astype(float) - answer) ** 2).mean()),
}


def _cross_entropy(train: np.ndarray, validation: np.ndarray) -> float:
    counts = np.bincount(train, minlength=int(validation.max()) + 1)
    # a class that training lacks counts as one picture, so that the loss is finite
    return float(-np.log(np.maximum(counts, 1)[validation] / counts.sum()).mean())


LOSSES: dict[Task, Callable[[np.ndarray, np.ndarray], float]] = {
    CLASSIFICATION: _cross_entropy,
    REGRESSION: lambda train, validation: float(((validation.astype(float) - train.mean(dtype=float)) ** 2).mean()),
}
