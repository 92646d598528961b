"""How the recipes of each task are compared, and in which words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from image_recipes.comparison.sentences import Sentence
from image_recipes.comparison.significance import compare_classes, compare_numbers
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.results.metrics import Metrics
from image_recipes.results.tables import format_value

# of fewer test pictures, a hundredth of a percent says nothing
MANY_PICTURES = 1_000


class ComparisonOfTask(NamedTuple):
    """How recipes of a task are compared.

    Attributes:
        table_columns: the figures in the table of recipes, the main metric of the test first.
        test_pairs: tests pairs of names, given predictions by name, the pairs and a seed; returns
            for each first, second, pictures, p, favours_first and what else its table shows.
        baselines: what a recipe has to beat, and what a sentence calls it, where `{answer}` is what
            it predicts for the first picture. The first of them looks at no picture.
        worse_than_trivial: what is said of a recipe that is worse than the first of them; `{rival}` is what
            a sentence calls that, `{figure}` its figure.
        show_figure: writes the figure of the test that decides, from metrics and the number of pictures.
        tell_figure: says how good a recipe is, from the same and the dataset's info.
    """

    table_columns: tuple[str, ...]
    test_pairs: Callable[[Mapping[str, pd.DataFrame], Sequence[tuple[str, str]], int], list[dict[str, Any]]]
    baselines: Mapping[str, str]
    worse_than_trivial: str
    show_figure: Callable[[Metrics, int], str]
    tell_figure: Callable[[Metrics, int, DatasetInfo], Sentence]


def _percent(share: float | None, pictures: int) -> str:
    return f"{(share or 0) * 100:.{1 if pictures < MANY_PICTURES else 2}f}"


def _show_accuracy(metrics: Metrics, pictures: int) -> str:
    return f"{_percent(metrics['test_accuracy'], pictures)} %"


def _tell_accuracy(metrics: Metrics, pictures: int, info: DatasetInfo) -> Sentence:
    return Sentence(
        "right for {share} % of {n} test pictures (95 % interval: {low} to {high} %)",
        {
            "n": f"{pictures:,}",
            "share": _percent(metrics["test_accuracy"], pictures),
            "low": _percent(metrics["test_accuracy_low"], pictures),
            "high": _percent(metrics["test_accuracy_high"], pictures),
        },
    )


def _r2(value: float) -> str:
    # no -0.000
    return f"{round(value, 3) + 0.0:.3f}"


def _show_r2(metrics: Metrics, pictures: int) -> str:
    # it has the order of the squared errors, which are tested; of numbers that are all the same there is none
    r2, mse = metrics["test_r2"], metrics["test_mse"]
    return f"R² {_r2(r2)}" if r2 is not None else f"MSE {format_value('mse', mse)}"


def _tell_numbers(metrics: Metrics, pictures: int, info: DatasetInfo) -> Sentence:
    mae, low, high = metrics["test_mae"], metrics["test_r2_low"], metrics["test_r2_high"]
    values = {
        "n": f"{pictures:,}",
        "mae": f"{format_value('mae', mae)} {info.unit or ''}".strip(),
        "figure": _show_r2(metrics, pictures),
    }
    if mae is None:
        return Sentence("off by an infinite amount over {n} test pictures, since training has diverged", values)
    if low is None or high is None:
        return Sentence("off by {mae} on average over {n} test pictures, {figure}", values)
    return Sentence(
        "off by {mae} on average over {n} test pictures, {figure} (95 % interval: {low} to {high})",
        {**values, "low": _r2(low), "high": _r2(high)},
    )


COMPARISON: dict[Task, ComparisonOfTask] = {
    CLASSIFICATION: ComparisonOfTask(
        table_columns=("test_accuracy", "test_loss", "val_accuracy", "val_loss", "train_accuracy"),
        test_pairs=compare_classes,
        baselines={"majority": "always answering {answer}", "linear": "logistic regression"},
        # such as one that weighs classes alike
        worse_than_trivial="worse than {rival} ({figure}), p (Holm) {p}: nothing was learned, "
        "unless to find the rare classes counts more than accuracy",
        show_figure=_show_accuracy,
        tell_figure=_tell_accuracy,
    ),
    REGRESSION: ComparisonOfTask(
        table_columns=("test_mse", "test_mae", "test_r2", "val_mse", "train_mse"),
        test_pairs=compare_numbers,
        baselines={"mean": "always answering the mean", "linear": "ridge regression"},
        worse_than_trivial="worse than {rival} ({figure}), p (Holm) {p}: nothing was learned",
        show_figure=_show_r2,
        tell_figure=_tell_numbers,
    ),
}
