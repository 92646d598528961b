"""What the verbs of `image-recipes` say and write for each task."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.results.metrics import Metrics


class CommandsOfTask(NamedTuple):
    """What a person is told of a task, and what `add` sets for it.

    Attributes:
        answer_columns: of the table of new pictures, after the path.
        answer: makes their values, but for those of a judgement, of a model's output for one picture (units,) and
            the dataset's info.
        regions: what holds the true answer for most pictures.
        promise: says what those are for the share of pictures called `{share}`.
        show_output: returns the probabilities by class, or a number with its unit, of the same.
        describe_output: says what a model returns.
        sum_up: says how good predictions are, from their metrics and the dataset's info.
        default_settings: of the recipe that `add` writes, beside those of every task.
    """

    answer_columns: tuple[str, ...]
    answer: Callable[[np.ndarray, DatasetInfo], list[Any]]
    regions: str
    promise: str
    show_output: Callable[[np.ndarray, DatasetInfo], dict[str, float] | str]
    describe_output: Callable[[DatasetInfo], str]
    sum_up: Callable[[Metrics, DatasetInfo], str]
    default_settings: Mapping[str, Any]


def _answer_class(output: np.ndarray, info: DatasetInfo) -> list[Any]:
    best = int(output.argmax())
    return [info.class_names[best], f"{output[best]:.4f}"]


COMMANDS: dict[Task, CommandsOfTask] = {
    CLASSIFICATION: CommandsOfTask(
        answer_columns=("class", "probability", "prediction_set", "unfamiliar"),
        answer=_answer_class,
        regions="sets of classes",
        promise="The prediction set holds the true class of {share} of new pictures.",
        show_output=lambda output, info: dict(zip(info.class_names, map(float, output), strict=True)),
        describe_output=lambda info: f"probabilities of {len(info.class_names):,} classes",
        sum_up=lambda metrics, info: f"accuracy on them: {metrics['accuracy']:.4f}",
        default_settings={},
    ),
    REGRESSION: CommandsOfTask(
        answer_columns=("number", "unit", "low", "high", "unfamiliar"),
        answer=lambda output, info: [f"{output[0]:.7g}", info.unit],
        regions="intervals",
        promise="The true number lies between low and high for {share} of new pictures.",
        show_output=lambda output, info: f"{output[0]:.4g} {info.unit or ''}",
        describe_output=lambda info: f"number in {info.unit or 'no unit'}",
        sum_up=lambda metrics, info: f"off by {metrics['mae']:.4g} {info.unit or ''} on average",
        default_settings={"standardize_targets": True},
    ),
}
