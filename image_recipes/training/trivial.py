"""The answer that needs no pictures: what training has to beat before it has learned anything."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.models.compiling import Objective

# of the outputs that are tried as the best one for all pictures, and of the pictures they are tried on
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
QUANTILES = 51
TARGETS_TRIED = 5_000


class TrivialAnswer(NamedTuple):
    """One answer to all pictures.

    Attributes:
        words: such as `always answering birch`.
        answer: as the targets are.
        figure: that progress shows, of the validation pictures: their accuracy or MSE.
        loss: of the validation pictures: of classes, if all are as likely as they are frequent.
        shown_as: the figure's name in Keras's logs, such as `val_accuracy`.
    """

    words: str
    answer: float
    figure: float
    loss: float
    shown_as: str

    def figure_of(self, targets: np.ndarray, task: Task) -> float:
        """Return the same figure of other pictures, by their targets (N,)."""
        return FIGURES_OF[task](targets, self.answer)


def find_trivial(
    info: DatasetInfo, train: np.ndarray, validation: np.ndarray, objective: Objective | None = None
) -> TrivialAnswer:
    """Find the best answer that is the same for all pictures.

    Args:
        info: of the dataset.
        train: targets (N,), which decide on it.
        validation: targets (N,), which judge it.
        objective: whose loss is taken, if it is not the task's own.
    """
    task = info.task
    answer, words = ANSWERS[task](info, train)
    own = objective is not None and objective.own_loss is not None
    loss = _least_loss(objective, info, train, validation) if objective and own else LOSSES[task](train, validation)
    shown_as = objective.progress_metric if objective else task.progress_metric
    return TrivialAnswer(words, answer, FIGURES_OF[task](validation, answer), loss, shown_as)


def _least_loss(objective: Objective, info: DatasetInfo, train: np.ndarray, validation: np.ndarray) -> float:
    """Return the loss, of validation pictures, of the output for all that has the least for training pictures."""
    candidates = CANDIDATES[info.task](info, train)
    tried = train[:: -(-len(train) // TARGETS_TRIED)]
    best = min(candidates, key=lambda output: objective.loss_of(tried, np.tile(output, (len(tried), 1))))
    return objective.loss_of(validation, np.tile(best, (len(validation), 1)))


def _shares(info: DatasetInfo, targets: np.ndarray) -> Iterable[np.ndarray]:
    """Return the classes' shares, flatter and steeper ones, and the most frequent class alone."""
    # a class that training lacks counts as one picture, so that the loss is finite
    counts = np.maximum(np.bincount(targets, minlength=len(info.class_names)), 1)
    powers = [(counts / counts.max()) ** power for power in POWERS]
    return [power / power.sum() for power in powers] + [np.eye(len(counts))[counts.argmax()]]


def _numbers(info: DatasetInfo, targets: np.ndarray) -> Iterable[np.ndarray]:
    quantiles = np.quantile(targets, np.linspace(0, 1, QUANTILES))
    return np.array([[targets.mean(dtype=float)], *quantiles[:, np.newaxis]])


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
CANDIDATES: dict[Task, Callable[[DatasetInfo, np.ndarray], Iterable[np.ndarray]]] = {
    CLASSIFICATION: _shares,
    REGRESSION: _numbers,
}


def _cross_entropy(train: np.ndarray, validation: np.ndarray) -> float:
    counts = np.bincount(train, minlength=int(validation.max()) + 1)
    # a class that training lacks counts as one picture, so that the loss is finite
    return float(-np.log(np.maximum(counts, 1)[validation] / counts.sum()).mean())


LOSSES: dict[Task, Callable[[np.ndarray, np.ndarray], float]] = {
    CLASSIFICATION: _cross_entropy,
    REGRESSION: lambda train, validation: float(((validation.astype(float) - train.mean(dtype=float)) ** 2).mean()),
}
