"""What a dataset is made of, by split."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from image_recipes.core.dataset import DatasetInfo, Prepared
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
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


def test_sizes_of_a_person_s_own_pictures_are_drawn_beside(tmp_path: Path) -> None:
    dataset = prepared(np.arange(6, dtype=np.float32), number_info((8, 8, 3)))
    plot = FIGURES[REGRESSION].plot_targets
    sizes = (np.arange(10, 16), np.arange(20, 26))

    draw_overview(plot, dataset, SPLITS, None, tmp_path / "published.png")
    draw_overview(plot, dataset, SPLITS, sizes, tmp_path / "own.png")

    published, own = (imread(tmp_path / name).shape for name in ["published.png", "own.png"])
    assert own[1] > 1.5 * published[1]


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
