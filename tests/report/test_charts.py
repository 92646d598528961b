"""The report's charts: what they draw of long histories, few epochs, and networks that have diverged."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.evaluation.calibration import calibrate
from image_recipes.report.charts import (
    Spec,
    chart_calibration,
    chart_confusion,
    chart_errors,
    chart_histories,
    chart_residuals,
    chart_tried,
    choose_points,
    epoch_step,
)
from image_recipes.results.confusion import count_confusions
from image_recipes.results.searches import Tried
from predictions import of_classes, of_numbers


def history(epochs: int) -> pd.DataFrame:
    return pd.DataFrame({"epoch": range(1, epochs + 1), "loss": 1.0, "val_loss": 2.0})


def rows(data: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows of a chart's data, without their heading."""
    return [line.split(",") for line in data["values"].splitlines()[1:]]


def names(spec: Spec) -> list[str]:
    """Return the names that a chart has for its numbers."""
    (found,) = [part["value"] for part in spec["params"] if part["name"] == "names"]
    return found


def chart_losses(epochs: int) -> Spec:
    return chart_histories({"net": history(epochs)}, "loss", "loss (MSE)")


def test_curves_are_thinned_out_evenly_and_end_with_the_last_epoch() -> None:
    drawn = rows(chart_losses(1000)["data"])

    epochs = [int(row[0]) for row in drawn if row[3] == "validation"]
    assert len(epochs) == 250
    assert epochs[-1] == 1000
    assert set(np.diff(epochs)) == {4}
    assert epoch_step(history(1000)) == 4
    assert epoch_step(history(250)) == 1


@pytest.mark.parametrize(("epochs", "ticks"), [(1, [1]), (3, [1, 2, 3]), (30, None)])
def test_few_epochs_are_marked_one_by_one(epochs: int, ticks: list[int] | None) -> None:
    spec = chart_losses(epochs)

    assert spec["layer"][0]["encoding"]["x"]["axis"].get("values") == ticks


def test_a_network_that_has_diverged_is_drawn_as_far_as_it_can_be() -> None:
    residuals = chart_residuals(of_numbers([1, 2, 3], [np.nan, np.inf, 5]), None)
    assert rows(residuals["layer"][0]["data"]) == [["3", "5", "2"]]

    diverged = history(3).assign(loss=[1.0, np.inf, np.nan])
    losses = chart_histories({"net": diverged}, "loss", "loss (MSE)")
    assert [row[0] for row in rows(losses["data"]) if row[3] == "training"] == ["1"]
    assert [row[0] for row in rows(losses["data"]) if row[3] == "validation"] == ["1", "2", "3"]

    nothing = calibrate(of_classes([0], [[np.nan, np.nan]], ["a", "b"]))
    assert rows(chart_calibration(nothing)["layer"][1]["data"]) == []


def test_errors_stand_beside_their_intervals_and_what_was_published() -> None:
    table = pd.DataFrame({"recipe": ["net", "baseline: linear"], "test_mse": [2.0, 5.0]})
    ends = {"test_mse_low": [1.5, 4.0], "test_mse_high": [3.0, 6.0]}

    ours = chart_errors(REGRESSION, "test MSE", table.assign(**ends))
    beside = chart_errors(REGRESSION, "test MSE", table.assign(**ends, published_test_mse=[2.5, np.nan]))

    assert rows(ours["data"]) == [
        ["0", "2", "1.5", "3", "", "recipe"],
        ["1", "5", "4", "6", "", "baseline"],
    ]
    assert names(ours) == ["net", "baseline: linear"]
    assert [row[4] for row in rows(beside["data"])] == ["2.5", ""]
    # a mark more
    assert len(beside["layer"]) == len(ours["layer"]) + 1
    assert ours["layer"][0]["encoding"]["x"]["scale"]["type"] == "log"


def test_an_error_of_nothing_has_no_logarithm() -> None:
    table = pd.DataFrame({"recipe": ["net"], "test_accuracy": [1.0]})
    ends = {"test_accuracy_low": [0.9], "test_accuracy_high": [1.0]}

    spec = chart_errors(CLASSIFICATION, "test error (1 - accuracy)", table.assign(**ends))

    assert rows(spec["data"])[0][:2] == ["0", "0"]
    assert spec["layer"][0]["encoding"]["x"]["scale"] == {"zero": True}


def test_a_confusion_matrix_leaves_out_what_was_never_confused() -> None:
    classes = ["a", "b"]

    spec = chart_confusion(count_confusions(of_classes([0, 1, 1], [[1, 0], [1, 0], [0, 1]], classes), classes), classes)

    # real, predicted, pictures
    assert rows(spec["data"]) == [["1", "0", "1"], ["0", "0", "1"], ["1", "1", "1"]]
    assert spec["width"] == "container"
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rect", "text"]


def test_classes_that_are_not_shown_are_left_out_of_a_confusion_matrix() -> None:
    classes = ["a", "two\nlines", "x" * 120, "x" * 119 + "y"]

    confusions = count_confusions(of_classes(range(4), np.eye(4)[[2, 2, 2, 0]], classes), classes)
    spec = chart_confusion(confusions, classes[1:])

    shown = [r"two\nlines", "x" * 15 + "…" + "x" * 14, "x" * 15 + "…" + "x" * 13 + "y"]
    assert rows(spec["data"]) == [["0", "1", "1"], ["1", "1", "1"]]
    assert spec["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0, 1, 2]
    assert names(spec) == shown
    # upright names have room side by side
    assert spec["width"] == {"step": 16}


def test_points_are_chosen_evenly() -> None:
    assert len(choose_points(of_numbers(range(2_000), range(2_000)))) == 2_000
    assert choose_points(of_numbers(range(5_000), range(5_000)))["index"].tolist() == list(range(0, 5_000, 3))


@pytest.mark.parametrize(
    ("classes", "angle"), [(list("0123456789"), 0), (["cat", "dog"], 0), (["birch", "떡갈나무 잎", "maple leaf"], -90)]
)
def test_names_below_a_matrix_do_not_run_into_each_other(classes: list[str], angle: int) -> None:
    predictions = of_classes(range(len(classes)), np.eye(len(classes)), classes)

    spec = chart_confusion(count_confusions(predictions, classes), classes)

    assert spec["layer"][0]["encoding"]["x"]["axis"]["labelAngle"] == angle
    assert spec["width"] == "container"


def test_curves_have_the_scale_of_the_figures() -> None:
    losses = np.array([4_200.0, 900, *np.linspace(60, 50, 48)])
    history = pd.DataFrame({"epoch": range(1, 51), "loss": losses, "val_loss": losses + 10})

    y = chart_histories({"net": history}, "loss", "loss (MSE)")["layer"][0]["encoding"]["y"]["scale"]

    assert y["type"] == "linear"
    assert y["domain"][1] < 120


def test_losses_that_lie_far_apart_are_all_to_be_read() -> None:
    close, far = (
        pd.DataFrame({"epoch": range(1, 51), "loss": level, "val_loss": level + np.linspace(1, 0, 50)})
        for level in (50.0, 5_000.0)
    )

    y = chart_histories({"a": close, "b": far}, "loss", "loss")["layer"][0]["encoding"]["y"]["scale"]

    assert y["type"] == "log"
    assert y["domain"][0] > 0


@pytest.mark.parametrize(("tried", "step"), [([1, 2, 3], 1), ([0.5, 1, 2.25], None)])
def test_the_axis_of_whole_numbers_has_no_halves(tried: list[float], step: int | None) -> None:
    spec = chart_tried(Tried("units", np.array(tried), False, ()), pd.Series([0.3, 0.1, 0.2]), "val_loss", True)

    assert spec["layer"][0]["encoding"]["x"].get("axis", {}).get("tickMinStep") == step
