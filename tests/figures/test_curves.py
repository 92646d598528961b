"""Training curves: on a scale that shows them, for any number of epochs and any values."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.legend import Legend

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.figures import curves
from image_recipes.figures.by_task import FIGURES
from image_recipes.figures.curves import draw_histories, draw_history

COLUMNS = FIGURES[CLASSIFICATION].curves


def class_history(epochs: int = 10) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    values = {
        "loss": 0.4 / epoch,
        "val_loss": 0.45 / epoch,
        "accuracy": 1 - 0.1 / epoch,
        "val_accuracy": 1 - 0.2 / epoch,
    }
    return pd.DataFrame({"epoch": epoch, **values})


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Keep the figures that are drawn."""
    kept: list[Figure] = []
    save = curves.save_figure

    def keep(figure: Figure, file: Path) -> None:
        kept.append(figure)
        save(figure, file)

    monkeypatch.setattr(curves, "save_figure", keep)
    return kept


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.lines]


def shown(axes: Axes) -> list[str]:
    """Return the styles of a panel's lines."""
    return [str(line.get_linestyle()) for line in axes.lines]


def test_each_task_has_its_curves() -> None:
    assert FIGURES[CLASSIFICATION].curves == ("accuracy", "loss")
    assert FIGURES[REGRESSION].curves == ("loss",)


def test_training_is_dashed_and_validation_is_not_in_one_colour(tmp_path: Path, figures: list[Figure]) -> None:
    draw_history(COLUMNS, class_history(), tmp_path / "curves.png")

    (figure,) = figures
    accuracy, loss = panels(figure)
    assert [accuracy.get_ylabel(), loss.get_ylabel()] == ["accuracy", "loss"]
    training, validation = accuracy.lines
    assert (training.get_linestyle(), validation.get_linestyle()) == ("--", "-")
    assert same_color(training.get_color(), validation.get_color())
    np.testing.assert_allclose(np.asarray(validation.get_ydata(), float), class_history()["val_accuracy"])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["validation", "training"]


def test_all_recipes_share_a_panel_and_then_have_one_each(tmp_path: Path, figures: list[Figure]) -> None:
    histories = {name: class_history().assign(val_loss=number + 1) for number, name in enumerate("abc")}

    draw_histories(COLUMNS, histories, tmp_path / "compare.png")

    shared_accuracy, shared_loss, *single = panels(figures[0])
    assert shown(shared_accuracy) == shown(shared_loss) == ["-"] * 3
    assert [float(np.asarray(line.get_ydata())[0]) for line in shared_loss.lines] == [1, 2, 3]
    assert len({str(line.get_color()) for line in shared_loss.lines}) == 3
    assert len(single) == 6
    assert [axes.get_title() for axes in single if axes.get_title()] == ["a", "b", "c"]
    # a recipe keeps its colour, and what stands side by side has the same scale
    assert [str(axes.lines[0].get_color()) for axes in single[:3]] == [
        str(line.get_color()) for line in shared_loss.lines
    ]
    for label in COLUMNS:
        assert len({axes.get_ylim() for axes in single if axes.get_ylabel() == label}) == 1


@pytest.mark.parametrize("names", [["one"], list("ab"), [f"a rather long name of a recipe {n:02}" for n in range(17)]])
def test_a_legend_lies_over_no_panel(names: Sequence[str], tmp_path: Path, figures: list[Figure]) -> None:
    draw_histories(COLUMNS, {name: class_history() for name in names}, tmp_path / "compare.png")

    (figure,) = figures
    legends = [legend for legend in figure.findobj(Legend) if legend.get_texts()]
    assert legends
    for legend in legends:
        box = legend.get_window_extent()
        assert [axes for axes in panels(figure) if box.overlaps(axes.get_window_extent())] == []


def test_seventeen_recipes_are_told_apart(tmp_path: Path, figures: list[Figure]) -> None:
    draw_histories(COLUMNS, {str(number): class_history() for number in range(17)}, tmp_path / "compare.png")

    lines = panels(figures[0])[0].lines
    assert len({(str(line.get_color()), str(line.get_linestyle())) for line in lines}) == 17


def test_one_epoch_shows(tmp_path: Path, figures: list[Figure]) -> None:
    draw_history(COLUMNS, class_history(1), tmp_path / "curves.png")

    for axes in panels(figures[0]):
        assert [line.get_marker() for line in axes.lines] == ["o", "o"]


@pytest.mark.parametrize("epochs", [1, 3, 30, 1000])
def test_epochs_are_whole_numbers(epochs: int, tmp_path: Path, figures: list[Figure]) -> None:
    draw_history(["loss"], class_history(epochs), tmp_path / "curves.png")

    assert [tick for tick in panels(figures[0])[0].get_xticks() if tick % 1] == []


def test_a_value_that_is_not_finite_does_not_stop_a_figure(tmp_path: Path) -> None:
    diverged = class_history().assign(val_loss=np.inf, loss=np.nan)

    draw_histories(COLUMNS, {"good": class_history(), "diverged": diverged}, tmp_path / "both.png")
    draw_history(COLUMNS, diverged, tmp_path / "one.png")

    assert min(imread(tmp_path / name).std() for name in ["both.png", "one.png"]) > 0.05
