"""What a dataset is made of, by split."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from image_recipes.core.dataset import DatasetInfo, Prepared
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.figures import overview
from image_recipes.figures.by_task import FIGURES
from image_recipes.figures.overview import draw_overview, plot_class_counts, plot_number_histogram
from recipes import class_info, number_info

PETS = class_info((8, 8, 3), ["cat", "dog"])
SPLITS = {"train": np.array([0, 1, 2]), "validation": np.array([3]), "test": np.array([4, 5])}


def prepared(targets: np.ndarray, info: DatasetInfo) -> Prepared:
    return Prepared(np.zeros((len(targets), 8, 8, 3), np.uint8), targets, info)


def bars(axes: Axes) -> dict[str, list[float]]:
    """Return the heights of the bars by what the legend says of them."""
    return {
        str(container.get_label()): [bar.get_height() for bar in container if isinstance(bar, Rectangle)]
        for container in axes.containers
    }


def test_bars_count_the_pictures_of_each_class_and_split() -> None:
    axes = Figure().subplots()
    plot_class_counts(axes, {"train": np.array([0, 0, 1]), "test": np.array([1])}, PETS)

    assert bars(axes) == {"train": [2, 1], "test": [0, 1]}
    # each split stands on those before it
    assert [bar.get_y() for bar in axes.patches if isinstance(bar, Rectangle)] == [0, 0, 2, 1]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", "dog"]


def test_a_histogram_counts_all_numbers() -> None:
    axes = Figure().subplots()
    plot_number_histogram(axes, {"train": np.arange(50.0), "test": np.arange(20.0)}, number_info((8, 8, 3), "grams"))

    assert [sum(heights) for heights in bars(axes).values()] == [50, 20]
    assert axes.get_xlabel() == "grams"


def test_an_overview_names_the_splits_with_their_sizes(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def plot(axes: Axes, targets: Mapping[str, np.ndarray], info: DatasetInfo) -> None:
        plot_class_counts(axes, targets, info)
        seen.append(list(targets))
        assert [array.tolist() for array in targets.values()] == [[0, 0, 1], [1], [0, 1]]

    draw_overview(plot, prepared(np.array([0, 0, 1, 1, 0, 1]), PETS), SPLITS, None, tmp_path / "o.png")

    assert seen == [["train (3)", "validation (1)", "test (2)"]]


def draw_sizes(
    widths: Sequence[int], heights: Sequence[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Axes]:
    """Draw the overview of pictures of these sizes, and return its axes."""
    drawn: list[Figure] = []
    monkeypatch.setattr(overview, "save_figure", lambda figure, file: drawn.append(figure))
    dataset = prepared(np.arange(6, dtype=np.float32), number_info((8, 8, 3)))
    sizes = (np.array(widths), np.array(heights))
    draw_overview(FIGURES[REGRESSION].plot_targets, dataset, SPLITS, sizes, tmp_path / "o.png")
    return drawn[0].axes


def test_one_size_is_said_and_takes_no_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (axes,) = draw_sizes([640] * 6, [480] * 6, tmp_path, monkeypatch)

    assert axes.get_title() == "all originals are 640 x 480 pixels large"


def test_few_sizes_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, axes = draw_sizes([640, 480, 640, 800, 640, 480], [480, 640, 480, 600, 480, 640], tmp_path, monkeypatch)

    assert [label.get_text() for label in axes.get_yticklabels()] == ["480 x 640", "640 x 480", "800 x 600"]
    assert [bar.get_width() for bar in axes.patches if isinstance(bar, Rectangle)] == [2, 3, 1]


def test_many_sizes_are_points_that_fill_their_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widths, heights = np.arange(3000, 3009), np.arange(2000, 2009)
    _, axes = draw_sizes(widths.tolist(), heights.tolist(), tmp_path, monkeypatch)

    assert len(np.asarray(axes.collections[0].get_offsets())) == 9
    assert axes.get_xlim()[0] > 2990


def test_a_legend_lies_over_no_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    save = overview.save_figure

    def keep(figure: Figure, file: Path) -> None:
        drawn.append(figure)
        save(figure, file)

    monkeypatch.setattr(overview, "save_figure", keep)

    draw_overview(plot_class_counts, prepared(np.array([0, 0, 1, 1, 0, 1]), PETS), SPLITS, None, tmp_path / "o.png")

    (figure,) = drawn
    legend = figure.legends[0].get_window_extent()
    assert not any(legend.overlaps(axes.get_window_extent()) for axes in figure.axes)


def test_each_task_has_its_overview() -> None:
    assert FIGURES[CLASSIFICATION].plot_targets is plot_class_counts
    assert FIGURES[REGRESSION].plot_targets is plot_number_histogram


def test_many_classes_stand_in_the_order_of_their_size() -> None:
    names = [f"kind {number}" for number in range(40)]
    axes = Figure().subplots()
    # of class n there are n + 1 pictures
    plot_class_counts(axes, {"train": np.repeat(np.arange(40), np.arange(1, 41))}, class_info((8, 8, 3), names))

    assert bars(axes) == {"train": list(range(40, 0, -1))}
    assert axes.get_xlabel() == "40 classes, by their number of pictures: from 40 of kind 39\nto 1 of kind 0"
