"""What a dataset is made of: how many pictures of which classes or numbers each split has, and their sizes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from image_recipes.core.dataset import DatasetInfo, Prepared
from image_recipes.figures.canvas import name_classes, save_figure
from image_recipes.results.names import MAX_LETTERS, shorten, show_name

HISTOGRAM_BINS = 30
# of sizes of pictures; more are drawn as points
MOST_BARS = 8
SIZES_COLOR = "#767676"

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
        sizes: (N,) widths and heights, in pixels, that the pictures had; drawn beside it, if they differ.
        file: the PNG to write.
    """
    together = np.stack(sizes) if sizes else np.empty((2, 0), int)
    distinct, counts = np.unique(together, axis=1, return_counts=True)
    beside = distinct.shape[1] > 1
    figure = Figure(figsize=(12, 4.8) if beside else (6.4, 4.8), layout="constrained")
    axes, *more = figure.subplots(1, 2 if beside else 1, squeeze=False).flat
    targets = {f"{name} ({len(indices):,})": prepared.targets[indices] for name, indices in splits.items()}
    plot(axes, targets, prepared.info)
    axes.set_ylabel("pictures")
    axes.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    figure.legend(loc="outside upper left", ncols=len(targets))
    if beside:
        _plot_sizes(more[0], distinct, counts)
    elif sizes:
        axes.set_title(f"all originals are {distinct[0, 0]} x {distinct[1, 0]} pixels large", fontsize="medium")
    save_figure(figure, file)


def _plot_sizes(axes: Axes, sizes: np.ndarray, counts: np.ndarray) -> None:
    """Draw how often each size, (2, N), occurs: bars of a few, else points, larger where there are more."""
    if len(counts) <= MOST_BARS:
        names = [f"{width} x {height}" for width, height in sizes.T]
        axes.barh(range(len(names)), counts, color=SIZES_COLOR)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylabel("width x height of the originals (pixels)")
        axes.set_xlabel("pictures")
        axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        axes.set_ylim(-0.6, len(names) - 0.4)
        return
    axes.scatter(sizes[0], sizes[1], s=12 * np.sqrt(counts), alpha=0.4, linewidths=0, color=SIZES_COLOR)
    axes.set_xlabel("width of the originals (pixels)")
    axes.set_ylabel("height of the originals (pixels)")


def plot_class_counts(axes: Axes, targets: Mapping[str, np.ndarray], info: DatasetInfo) -> None:
    """Draw a bar for each class, of a piece for each split; too many to name stand in the order of their size."""
    classes = info.class_names
    pieces = {title: np.bincount(numbers, minlength=len(classes)) for title, numbers in targets.items()}
    totals = np.sum(list(pieces.values()), axis=0)
    named = name_classes(axes, classes)
    # of equal ones, those with more to train on come first
    sizes = [-counts for counts in (*reversed(pieces.values()), totals)]
    order = np.arange(len(classes)) if named else np.lexsort(sizes)
    below = np.zeros(len(classes), int)
    for title, counts in pieces.items():
        # many narrow bars would vanish here and there between pixels
        width, smooth = (0.8, None) if named else (1.0, False)
        axes.bar(range(len(classes)), counts[order], width, bottom=below, label=title, antialiased=smooth)
        below += counts[order]
    if not named:
        most, fewest = (f"{totals[number]:,} of {shown}" for number, shown in _ends(classes, order))
        axes.set_xlabel(f"{len(classes):,} classes, by their number of pictures: from {most}\nto {fewest}")


def _ends(classes: Sequence[str], order: np.ndarray) -> list[tuple[int, str]]:
    return [(int(order[end]), shorten(show_name(classes[order[end]]), MAX_LETTERS)) for end in (0, -1)]


def plot_number_histogram(axes: Axes, targets: Mapping[str, np.ndarray], info: DatasetInfo) -> None:
    """Draw a histogram of the numbers, of a piece for each split."""
    axes.hist(list(targets.values()), bins=HISTOGRAM_BINS, stacked=True, label=list(targets))
    axes.set_xlabel(info.unit or "number")
