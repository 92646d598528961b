"""Predictions against reality, each on its axis."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import vl_convert
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.figures.by_task import FIGURES
from image_recipes.figures.predictions import draw_predictions, plot_confusion, plot_scatter
from predictions import of_classes, of_numbers
from projects import ROOT
from recipes import class_info, number_info

CLASSES = ["0", "1", "2"]
DIGITS = class_info((28, 28, 1), CLASSES)
DOTS = number_info((16, 16, 1), "throws")


def class_predictions() -> pd.DataFrame:
    return of_classes([0, 2, 2, 1, 1], np.eye(3)[[0, 1, 2, 1, 0]], CLASSES)


def number_predictions(count: int) -> pd.DataFrame:
    return of_numbers(range(count), [number + 1.44 for number in range(count)])


def texts(axes: Axes) -> dict[tuple[float, float], str]:
    """Return what stands in the cells, by row and column."""
    return {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in axes.texts}


def test_a_confusion_matrix_and_a_scatter_are_drawn(tmp_path: Path) -> None:
    draw_predictions(FIGURES[CLASSIFICATION].plot_predictions, class_predictions(), DIGITS, tmp_path / "classes.png")
    draw_predictions(FIGURES[REGRESSION].plot_predictions, number_predictions(30), DOTS, tmp_path / "numbers.png")

    for name in ["classes.png", "numbers.png"]:
        assert min(imread(tmp_path / name).shape[:2]) > 500


def test_real_and_predicted_classes_are_on_their_axes() -> None:
    axes = Figure().subplots()
    plot_confusion(axes, class_predictions(), DIGITS)

    assert (axes.get_ylabel(), axes.get_xlabel()) == ("real", "predicted")
    # two of real class 2, one of which was taken for 1; one of real class 1 was taken for 0
    assert texts(axes) == {(0, 0): "1", (1, 0): "1", (1, 1): "1", (2, 1): "1", (2, 2): "1"}


def test_real_and_predicted_numbers_are_on_their_axes() -> None:
    axes = Figure().subplots()
    plot_scatter(axes, number_predictions(3), DOTS)

    assert (axes.get_xlabel(), axes.get_ylabel()) == ("real (throws)", "predicted (throws)")
    offsets = np.asarray(axes.collections[0].get_offsets(), float)
    np.testing.assert_allclose(offsets, np.array([[0, 1.44], [1, 2.44], [2, 3.44]]), rtol=1e-6)


def test_of_many_classes_the_most_confused_are_drawn_and_named() -> None:
    names = [str(number) for number in range(40)]
    axes = Figure().subplots()
    # the last was taken for the first, all others for themselves
    plot_confusion(axes, of_classes(range(40), np.eye(40)[[*range(39), 0]], names), class_info((8, 8, 1), names))

    assert axes.images[0].get_size() == (30, 30)
    assert [label.get_text() for label in axes.get_yticklabels()] == [*names[:29], "39"]
    assert texts(axes) == {(number, number): "1" for number in range(29)} | {(29, 0): "1"}
    assert axes.get_title() == "40 test pictures\nthe 30 most confused of 40 classes; all in metrics/compare/confusion"


def test_dvc_s_plot_has_numbered_classes_in_numeric_order() -> None:
    rows = [{"real": str(number), "predicted": "1", "rev": "workspace"} for number in [10, 2, 1, 20]]
    template = (ROOT / ".dvc/plots/predictions_classification.json").read_text("utf-8")
    values = {"DATA": rows, "PLOT_WIDTH": 300, "PLOT_HEIGHT": 300, "ROW": {"field": "rev"}}
    values |= {"GROUP_BY_X": ["rev", "predicted"], "GROUP_BY_Y": ["rev", "real"]}
    for name, value in values.items():
        template = template.replace(f'"<DVC_METRIC_{name}>"', json.dumps(value))
    for axis, name in {"X": "predicted", "Y": "real"}.items():
        template = template.replace(f"<DVC_METRIC_{axis}>", name)

    svg = vl_convert.vegalite_to_svg(json.loads(template))

    labels = re.findall(r"<text[^>]*>(\d+)</text>", svg)
    assert labels[: labels.index("20") + 1] == ["1", "2", "10", "20"]
