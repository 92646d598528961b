"""What the report shows and says for each task; its texts are translated in `templates/korean.yaml`."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from image_recipes.comparison.sentences import Sentence
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.evaluation.calibration import calibrate
from image_recipes.report.charts import (
    Chart,
    chart_calibration,
    chart_confusion,
    chart_residuals,
    choose_points,
)
from image_recipes.report.examples import (
    Row,
    find_class_examples,
    find_number_examples,
    rank_class_examples,
    rank_number_examples,
    show_predicted_number,
    show_real_number,
    tell_class_error,
    tell_class_example,
    tell_number_error,
    tell_number_example,
)
from image_recipes.report.trust import note_range, note_set, tell_ranges, tell_sets
from image_recipes.results.confusion import CONFUSION_FOLDER, choose_confused, count_confusions
from image_recipes.results.metrics import Metrics
from image_recipes.results.names import show_name


class ReportOfTask(NamedTuple):
    """How the report shows a task.

    Attributes:
        introduce: says what is predicted, from the number of test pictures and the dataset's info.
        error_title: of the axis of test errors.
        curves: the caption and the title of the axis, by the columns of a history that are drawn.
        floor: says what no predictor can do better than, from the baselines' metrics; None where
            nobody knows.
        test_note: says by which test recipes are compared.
        chart_predictions: charts a recipe's test predictions, from its name, them and the info.
        show_real: writes a real value.
        show_predicted: writes a predicted value.
        rank_examples: ranks predictions of test and of training pictures, the best examples first.
        find_examples: finds, among these, what a row of predictions is to be shown beside.
        tell_error: says how wrong a row of predictions is.
        tell_example: says what such an example is.
        tell_coverage: says for how many test pictures sets or ranges held, from metrics and the pictures' number;
            None where an earlier version did not say.
        note_trust: says of a row of predictions how sure it is, in a few words each.
        doubt_note: says how doubtful a label is, and to how many recipes.
        parts_title: of the table of how good predictions are for which pictures.
        order_parts: puts the rows of that table in the order to show, where there are too many to read all.
    """

    introduce: Callable[[int, DatasetInfo], Sentence]
    error_title: str
    curves: Mapping[str, tuple[str, str]]
    floor: Callable[[Mapping[str, Metrics]], Sentence | None]
    test_note: str
    chart_predictions: Callable[[str, pd.DataFrame, DatasetInfo], list[Chart]]
    show_real: Callable[[Any], str]
    show_predicted: Callable[[Any], str]
    rank_examples: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
    find_examples: Callable[[pd.DataFrame, Row], list[Row]]
    tell_error: Callable[[Row], Sentence]
    tell_example: Callable[[Row], Sentence]
    tell_coverage: Callable[[Metrics, int], Sentence | None]
    note_trust: Callable[[Row], list[Sentence]]
    doubt_note: str
    parts_title: str
    order_parts: Callable[[pd.DataFrame], pd.DataFrame]


def _tell_floor(baselines: Mapping[str, Metrics]) -> Sentence | None:
    floor = baselines.get("best_possible", {}).get("expected_mse")
    if floor is None:
        return None
    return Sentence(
        "No predictor can get below an MSE of {floor} on average, since the pictures do not tell more.",
        {"floor": f"{floor:.2f}"},
    )


def _chart_classes(recipe: str, predictions: pd.DataFrame, info: DatasetInfo) -> list[Chart]:
    confusions = count_confusions(predictions, info.class_names)
    shown = choose_confused(confusions, info.class_names)
    caption, values = "Confusion matrix", {}
    if len(shown) < len(info.class_names):
        caption += " of the {shown} most confused of {classes} classes; all in {folder}"
        values = {"shown": str(len(shown)), "classes": f"{len(info.class_names):,}", "folder": CONFUSION_FOLDER}
    return [
        Chart(f"{recipe}-confusion", chart_confusion(confusions, shown), caption, values),
        Chart(
            f"{recipe}-calibration",
            chart_calibration(calibrate(predictions)),
            "Confidence and accuracy (on the dashed line: as often right as it says)",
        ),
    ]


def _chart_numbers(recipe: str, predictions: pd.DataFrame, info: DatasetInfo) -> list[Chart]:
    shown = choose_points(predictions)
    caption = "Residuals" if len(shown) == len(predictions) else "Residuals (of {n} pictures, evenly chosen)"
    return [Chart(f"{recipe}-residuals", chart_residuals(shown, info.unit), caption, {"n": f"{len(shown):,}"})]


REPORT: dict[Task, ReportOfTask] = {
    CLASSIFICATION: ReportOfTask(
        introduce=lambda count, info: Sentence(
            "{n} test pictures of {classes} classes.", {"n": f"{count:,}", "classes": len(info.class_names)}
        ),
        error_title="test error (1 - accuracy)",
        curves={"accuracy": ("Accuracy over the epochs", "accuracy"), "loss": ("Loss over the epochs", "loss")},
        floor=lambda baselines: None,
        test_note=(
            "McNemar's exact test on the same test pictures; p corrected by Holm for all pairs below. "
            "Below 0.05 counts as a real difference."
        ),
        chart_predictions=_chart_classes,
        show_real=show_name,
        show_predicted=show_name,
        rank_examples=rank_class_examples,
        find_examples=find_class_examples,
        tell_error=tell_class_error,
        tell_example=tell_class_example,
        tell_coverage=tell_sets,
        note_trust=note_set,
        doubt_note="doubt {doubt} of 1, by {recipes} of {all} recipes",
        parts_title="Class by class",
        order_parts=lambda parts: parts.sort_values("f1", kind="stable"),
    ),
    REGRESSION: ReportOfTask(
        introduce=lambda count, info: Sentence(
            "{n} test pictures; the number is in {unit}.", {"n": f"{count:,}", "unit": info.unit or "?"}
        ),
        error_title="test MSE",
        curves={"loss": ("Loss over the epochs", "loss (MSE)")},
        floor=_tell_floor,
        test_note=(
            "Paired bootstrap of the squared error on the same test pictures; p corrected by Holm for all pairs "
            "below. Below 0.05 counts as a real difference."
        ),
        chart_predictions=_chart_numbers,
        show_real=show_real_number,
        show_predicted=show_predicted_number,
        rank_examples=rank_number_examples,
        find_examples=find_number_examples,
        tell_error=tell_number_error,
        tell_example=tell_number_example,
        tell_coverage=tell_ranges,
        note_trust=note_range,
        doubt_note="{doubt} robust standard deviations off, by {recipes} of {all} recipes",
        parts_title="By the real number",
        order_parts=lambda parts: parts,
    ),
}
