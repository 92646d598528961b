"""Losses and metrics by their names in `keras.losses` and `keras.metrics`, without Keras: which task each suits."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from image_recipes.core.errors import did_you_mean
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task

# what else Keras calls them
SHORT_NAMES = {
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
}
# begins the name of what takes classes by number; the rest is its twin, which takes them one-hot
SPARSE = "Sparse"
# metrics whose twin takes the same arguments
EITHER_FORM = {"CategoricalAccuracy", "TopKCategoricalAccuracy"}
# takes classes by number whatever its name says, and has no twin
BY_NUMBER = {"CategoricalGeneralizedCrossEntropy"}


class Component(NamedTuple):
    """A class of `keras.losses` or `keras.metrics` by name, with its arguments."""

    class_name: str
    arguments: dict[str, Any]

    @property
    def name(self) -> str:
        """What its figure is called in logs and tables."""
        return str(self.arguments.get("name", snake_case(self.class_name)))


# by what power of the targets' unit each grows; None of one that depends on the unit in no such way
LOSSES: dict[Task, Mapping[str, int | None]] = {
    CLASSIFICATION: dict.fromkeys(
        (
            "SparseCategoricalCrossentropy",
            "CategoricalCrossentropy",
            "CategoricalFocalCrossentropy",
            "CategoricalGeneralizedCrossEntropy",
            "CategoricalHinge",
            "KLDivergence",
            "MeanSquaredError",
            "MeanAbsoluteError",
        )
    ),
    REGRESSION: {
        "MeanSquaredError": 2,
        "MeanAbsoluteError": 1,
        # its delta is then one of standard deviations
        "Huber": 2,
        "LogCosh": None,
        "MeanAbsolutePercentageError": 0,
        "MeanSquaredLogarithmicError": 0,
    },
}
METRICS: dict[Task, Sequence[str]] = {
    CLASSIFICATION: (
        "SparseCategoricalAccuracy",
        "SparseTopKCategoricalAccuracy",
        "SparseCategoricalCrossentropy",
        "CategoricalAccuracy",
        "TopKCategoricalAccuracy",
        "CategoricalCrossentropy",
        "CategoricalHinge",
        "KLDivergence",
        "AUC",
        "F1Score",
        "FBetaScore",
        "Precision",
        "Recall",
        "PrecisionAtRecall",
        "RecallAtPrecision",
        "SensitivityAtSpecificity",
        "SpecificityAtSensitivity",
        "TruePositives",
        "TrueNegatives",
        "FalsePositives",
        "FalseNegatives",
        "MeanSquaredError",
        "MeanAbsoluteError",
        "RootMeanSquaredError",
    ),
    REGRESSION: (
        "MeanSquaredError",
        "RootMeanSquaredError",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError",
        "LogCoshError",
        "R2Score",
    ),
}
# why others do not suit either task, or one of them
REASONS: Mapping[str, str] = {
    "BinaryCrossentropy": "the head has an output for each class: take CategoricalCrossentropy",
    "BinaryFocalCrossentropy": "the head has an output for each class: take CategoricalFocalCrossentropy",
    "BinaryAccuracy": "the head has an output for each class: take CategoricalAccuracy",
    "Hinge": "it takes classes -1 and 1: take CategoricalHinge",
    "SquaredHinge": "it takes classes -1 and 1: take CategoricalHinge",
    "Dice": "it compares masks of pictures",
    "Tversky": "it compares masks of pictures",
    "CTC": "it compares sequences",
    "Circle": "it compares embeddings, and the head makes none",
    "Poisson": "it takes outputs above 0, and the head's may have any sign",
    "CosineSimilarity": "it compares directions, and the outputs are no vectors",
    "PearsonCorrelation": "Keras averages it over batches: take R2Score",
    "ConcordanceCorrelation": "Keras averages it over batches: take R2Score",
    "Accuracy": "it looks for outputs that equal the targets",
}
# what a metric may not be called: names of other figures of a history or of metrics/
TAKEN_NAMES = {
    *("loss", "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "calibration_error", "roc_auc", "learning_rate"),
    *(name + end for name in ("mse", "rmse", "mae", "r2") for end in ("", "_low", "_high")),
}


def snake_case(class_name: str) -> str:
    """Turn a class's name into that of its figure, as Keras does.

    >>> [snake_case(name) for name in ("SparseTopKCategoricalAccuracy", "R2Score", "AUC")]
    ['sparse_top_k_categorical_accuracy', 'r2_score', 'auc']
    """
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def class_name_of(name: str) -> str:
    """Return the class that Keras means by a name: its own, or that of a function such as `huber` or `mse`."""
    known = {*REASONS, *(known for table in (*LOSSES.values(), *METRICS.values()) for known in table)}
    return SHORT_NAMES.get(name) or next((known for known in sorted(known) if name == snake_case(known)), name)


def takes_one_hot(class_name: str) -> bool:
    """Tell whether a class takes classes one-hot alone."""
    return not class_name.startswith(SPARSE) and class_name not in {*EITHER_FORM, *BY_NUMBER}


def in_form(class_name: str, one_hot: bool) -> str:
    """Return the class that gives the same figure of classes given one-hot, or by number.

    >>> in_form("SparseTopKCategoricalAccuracy", one_hot=True), in_form("TopKCategoricalAccuracy", one_hot=False)
    ('TopKCategoricalAccuracy', 'SparseTopKCategoricalAccuracy')
    """
    if one_hot:
        return class_name.removeprefix(SPARSE)
    return SPARSE + class_name if class_name in EITHER_FORM else class_name


def find_unsuited_loss(loss: Component, task: Task, standardized: bool) -> list[str]:
    """Find why a loss does not suit a task, as lines of key and remedy."""
    lines = _find_unsuited("loss", loss, task, LOSSES[task])
    if not lines and standardized and LOSSES[task][loss.class_name] is None:
        lines.append(
            f"loss: {loss.class_name} has no scale that standardize_targets could go by: take Huber, whose delta "
            "counts standard deviations"
        )
    return lines


def find_unsuited_metrics(metrics: Sequence[Component], task: Task) -> list[str]:
    """Find metrics that do not suit a task, or have a name that is taken, as lines of key and remedy."""
    lines = []
    for number, metric in enumerate(metrics):
        key = f"metrics.{number}"
        lines += _find_unsuited(key, metric, task, METRICS[task])
        others = [other.name for other in metrics[:number]]
        if metric.name in {*TAKEN_NAMES, *others} or not re.fullmatch(r"(?!val_)[a-z][a-z0-9_]*", metric.name):
            lines.append(
                f"{key}: its figure cannot be called {metric.name!r}, which is taken or no plain name: "
                "give it another name, such as name: top_5"
            )
    return lines


def _find_unsuited(key: str, component: Component, task: Task, suited: Iterable[str]) -> list[str]:
    name, suited = component.class_name, list(suited)
    if name in suited:
        return []
    other = next((other for other in LOSSES if other != task and name in {*LOSSES[other], *METRICS[other]}), None)
    reason = REASONS.get(name) or (f"it is for {other.name}" if other else None)
    if reason is None:
        module = "keras.losses" if key == "loss" else "keras.metrics"
        return [f"{key}: no {name!r} in {module} for {task.name}: {did_you_mean(name, suited)}"]
    return [f"{key}: {name} does not suit {task.name}: {reason}; known: {', '.join(suited)}"]
