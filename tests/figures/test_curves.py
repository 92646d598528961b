"""Training curves: the lectures', for any number of epochs and any values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.image import imread

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.figures.by_task import FIGURES
from image_recipes.figures.curves import draw_histories, draw_history, plot_class_history, plot_number_history


def class_history(epochs: int = 10) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    curves = {
        "loss": 0.4 / epoch,
        "val_loss": 0.45 / epoch,
        "accuracy": 1 - 0.1 / epoch,
        "val_accuracy": 1 - 0.2 / epoch,
    }
    return pd.DataFrame({"epoch": epoch, **curves})


def plot_classes(history: pd.DataFrame) -> tuple[Axes, Axes]:
    """Return the axes of the losses and those of the accuracies."""
    figure = Figure()
    plot_class_history(figure.subplots(), history)
    loss_axes, accuracy_axes = figure.axes
    return loss_axes, accuracy_axes


def test_class_curves_are_the_lecture_s() -> None:
    loss_axes, accuracy_axes = plot_classes(class_history())

    colors = {"train loss": "y", "val loss": "r", "train acc": "b", "val acc": "g"}
    lines = [*loss_axes.lines, *accuracy_axes.lines]
    assert [line.get_label() for line in lines] == list(colors)
    assert all(same_color(line.get_color(), colors[str(line.get_label())]) for line in lines)
    assert loss_axes.get_ylim() == (0, 0.5)
    assert accuracy_axes.get_ylim() == (0.8, 1)


def test_number_curves_are_the_lecture_s() -> None:
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [4547.2, 270.6, 184.2], "val_loss": [489.0, 250.1, 200.3]})
    axes = Figure().subplots()
    plot_number_history(axes, history)

    assert [line.get_label() for line in axes.lines] == ["train", "val"]
    assert axes.get_ylim() == (0, 300)


def test_each_task_has_its_curves() -> None:
    assert FIGURES[CLASSIFICATION].plot_history is plot_class_history
    assert FIGURES[REGRESSION].plot_history is plot_number_history


def test_limits_widen_where_a_curve_would_not_show() -> None:
    history = class_history()
    history["val_loss"] += 1
    history["accuracy"] -= 0.7

    loss_axes, accuracy_axes = plot_classes(history)

    assert loss_axes.get_ylim() == pytest.approx((0, 1.45))
    assert accuracy_axes.get_ylim() == pytest.approx((0.2, 1))


def test_one_epoch_shows() -> None:
    for axes in plot_classes(class_history(1)):
        assert [line.get_marker() for line in axes.lines] == ["o", "o"]


@pytest.mark.parametrize("epochs", [1, 3, 30, 1000])
def test_epochs_are_whole_numbers(epochs: int) -> None:
    loss_axes, _ = plot_classes(class_history(epochs))

    assert [tick for tick in loss_axes.get_xticks() if tick % 1] == []


def test_a_value_that_is_not_finite_does_not_stop_a_plot() -> None:
    history = class_history()
    history["val_loss"] = np.inf

    loss_axes, _ = plot_classes(history)

    assert loss_axes.get_ylim() == (0, 0.5)


def test_recipes_are_drawn_side_by_side_under_their_names(tmp_path: Path) -> None:
    drawn: list[Axes] = []

    def plot(axes: Axes, history: pd.DataFrame) -> None:
        plot_class_history(axes, history)
        drawn.append(axes)

    draw_history(plot, class_history(), tmp_path / "one.png")
    draw_histories(plot, {name: class_history() for name in "abcd"}, tmp_path / "four.png")

    assert [axes.get_title() for axes in drawn] == ["", "a", "b", "c", "d"]
    one, four = (imread(tmp_path / name).shape for name in ["one.png", "four.png"])
    # three abreast, in two rows
    assert four[0] / one[0] == pytest.approx(2, rel=0.15)
    assert four[1] / one[1] == pytest.approx(3, rel=0.15)
