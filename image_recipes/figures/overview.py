"""What a dataset is made of: how many pictures of which classes or numbers each split has, and their sizes."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from image_recipes.core.dataset import DatasetInfo, Prepared
from image_recipes.figures.canvas import name_classes, save_figure

HISTOGRAM_BINS = 30

# draws the targets of each split, by its title, on axes
PlotTargets = Callable[[Axes, Mapping[str, np.ndarray], DatasetInfo], None]


def draw_overview(
    plot: PlotTargets,
    prepared: Prepared,
    splits: Mapping[str, np.ndarray],
    sizes: tuple[np.ndarray, np.ndarray] | None,
    file: Path,
) -> None:
    """Draw how many pictures of each class, or of which numbers, each split has.

    Args:
        plot: that of the task, `FIGURES[task].plot_targets`.
        prepared: the dataset.
        splits: indices into it, by the split's name.
        sizes: (N,) widths and heights, in pixels, that the pictures had; drawn beside it.
        file: the PNG to write.
    """
    figure = Figure(figsize=(12, 4.8) if sizes else (6.4, 4.8), layout="constrained")
    axes, *more = figure.subplots(1, 2 if sizes else 1, squeeze=False).flat
    targets = {f"{name} ({len(indices):,})": prepared.targets[indices] for name, indices in splits.items()}
    plot(axes, targets, prepared.info)
    axes.set_ylabel("pictures")
    figure.legend(loc="outside upper left", ncols=len(targets))
    if sizes:
        (size_axes,) = more
        size_axes.scatter(*sizes, s=12, alpha=0.3, linewidths=0)
        size_axes.set_xlabel("width of the originals (pixels)")
        size_axes.set_ylabel("height of the originals (pixels)")
        size_axes.set_xlim(left=0)
        size_axes.set_ylim(bottom=0)
    save_figure(figure, file)


def plot_class_counts(axes: Axes, targets: Mapping[str, np.ndarray], info: DatasetInfo) -> None:
    """Draw a bar for each class, of a piece for each split."""
    classes = info.class_names
    below = np.zeros(len(classes), int)
    for title, numbers in targets.items():
        counts = np.bincount(numbers, minlength=len(classes))
        axes.bar(range(len(classes)), counts, bottom=below, label=title)
        below += counts
    name_classes(axes, classes)


def plot_number_histogram(axes: Axes, targets: Mapping[str, np.ndarray], info: DatasetInfo) -> None:
    """Draw a histogram of the numbers, of a piece for each split."""
    axes.hist(list(targets.values()), bins=HISTOGRAM_BINS, stacked=True, label=list(targets))
    axes.set_xlabel(info.unit or "number")
