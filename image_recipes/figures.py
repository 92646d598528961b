"""Drawing, in the lectures' manner: galleries, training curves, predictions against reality."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from image_recipes.datasets import DatasetInfo
from image_recipes.drawing import save_figure

GALLERY_SIDE = 5
GALLERY_CELLS = GALLERY_SIDE**2
COMPARE_COLUMNS = 3
MAX_LABELLED_CLASSES = 30
# of all classes' names together, below an axis
MAX_LETTERS_ABREAST = 40
HISTOGRAM_BINS = 30

# the lectures' limits of the axes
LOSS_LIMITS = {"classification": (0.0, 0.5), "regression": (0.0, 300.0)}
ACCURACY_LIMITS = (0.8, 1.0)


def draw_gallery(images: Sequence[np.ndarray], titles: Sequence[str], file: Path) -> None:
    """Draw up to 25 pictures on a 5x5 grid; cells without a picture stay blank.

    Args:
        images: uint8, (H, W, C) each, C = 1 or 3.
        titles: one for each picture.
        file: the PNG to write.
    """
    figure = Figure(figsize=(10, 10))
    for number, axes in enumerate(figure.subplots(GALLERY_SIDE, GALLERY_SIDE).flat):
        axes.axis("off")
        if number < len(images):
            axes.imshow(images[number].squeeze(), vmin=0, vmax=255)
            axes.set_title(titles[number])
    save_figure(figure, file)


def sample_titles(targets: np.ndarray, classes: list[str] | None) -> list[str]:
    """Return the titles of samples: `R: 3` for a class, `R 12` for a number.

    Args:
        targets: (N,), class numbers or numbers.
        classes: the classes' names; None for regression.
    """
    if classes is None:
        return [f"R {number:g}" for number in targets]
    return [f"R: {classes[number]}" for number in targets]


def draw_overview(
    info: DatasetInfo,
    targets: np.ndarray,
    splits: dict[str, np.ndarray],
    sizes: tuple[np.ndarray, np.ndarray] | None,
    file: Path,
) -> None:
    """Draw how many pictures of each class, or of which numbers, each split has.

    Args:
        info: the dataset's.
        targets: (N,), class numbers or numbers, of all pictures.
        splits: indices into them, by the split's name.
        sizes: (N,) widths and heights, in pixels, that the pictures had; drawn beside it.
        file: the PNG to write.
    """
    figure = Figure(figsize=(12, 4.8) if sizes else (6.4, 4.8), layout="constrained")
    axes, *more = figure.subplots(1, 2 if sizes else 1, squeeze=False).flat
    groups = [targets[indices] for indices in splits.values()]
    names = [f"{name} ({len(indices):,})" for name, indices in splits.items()]
    if info.classes is None:
        axes.hist(groups, bins=HISTOGRAM_BINS, stacked=True, label=names)
        axes.set_xlabel(info.unit or "number")
    else:
        below = np.zeros(len(info.classes), int)
        for name, group in zip(names, groups, strict=True):
            counts = np.bincount(group, minlength=len(info.classes))
            axes.bar(range(len(info.classes)), counts, bottom=below, label=name)
            below += counts
        if len(info.classes) <= MAX_LABELLED_CLASSES:
            axes.set_xticks(range(len(info.classes)), info.classes, rotation=_rotation(info.classes))
    axes.set_ylabel("pictures")
    figure.legend(loc="outside upper left", ncols=len(names))
    if sizes:
        (size_axes,) = more
        size_axes.scatter(*sizes, s=12, alpha=0.3, linewidths=0)
        size_axes.set_xlabel("width of the originals (pixels)")
        size_axes.set_ylabel("height of the originals (pixels)")
        size_axes.set_xlim(left=0)
        size_axes.set_ylim(bottom=0)
    save_figure(figure, file)


def _rotation(classes: Sequence[str]) -> str:
    return "vertical" if sum(map(len, classes)) > MAX_LETTERS_ABREAST else "horizontal"


def gallery_rows(task: str, predictions: pd.DataFrame) -> pd.DataFrame:
    """Choose the predictions for the gallery: the first 25, for classes the first 25 wrong."""
    if task == "classification":
        predictions = predictions[predictions["real"] != predictions["predicted"]]
    return predictions.head(GALLERY_CELLS)


def prediction_titles(task: str, predictions: pd.DataFrame) -> list[str]:
    """Return the titles of predictions: `R: 3 P: 5` for classes, `R 12 P 13.4` for numbers."""
    pairs = zip(predictions["real"], predictions["predicted"], strict=True)
    if task == "classification":
        return [f"R: {real} P: {predicted}" for real, predicted in pairs]
    return [f"R {real:g} P {predicted:.1f}" for real, predicted in pairs]


def draw_curves(task: str, history: pd.DataFrame, file: Path) -> None:
    """Draw one recipe's training curves.

    Args:
        task: `classification` or `regression`.
        history: as `histories.load_history` returns it.
        file: the PNG to write.
    """
    figure = Figure(figsize=(6.4, 4.8))
    CURVES[task](figure.subplots(), history)
    save_figure(figure, file)


def draw_comparison(task: str, histories: dict[str, pd.DataFrame], file: Path) -> None:
    """Draw the training curves of several recipes side by side.

    Args:
        task: `classification` or `regression`.
        histories: a history for each recipe's name.
        file: the PNG to write.
    """
    columns = min(COMPARE_COLUMNS, len(histories))
    rows = -(-len(histories) // columns)
    figure = Figure(figsize=(6.4 * columns, 4.8 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes in grid[len(histories) :]:
        axes.axis("off")
    for axes, (name, history) in zip(grid, histories.items(), strict=False):
        CURVES[task](axes, history)
        axes.set_title(name)
    save_figure(figure, file)


def _draw_class_curves(loss_axes: Axes, history: pd.DataFrame) -> None:
    accuracy_axes = loss_axes.twinx()
    epoch = history["epoch"]
    marker = _marker(history)
    loss_axes.plot(epoch, history["loss"], "y", marker=marker, label="train loss")
    loss_axes.plot(epoch, history["val_loss"], "r", marker=marker, label="val loss")
    accuracy_axes.plot(epoch, history["accuracy"], "b", marker=marker, label="train acc")
    accuracy_axes.plot(epoch, history["val_accuracy"], "g", marker=marker, label="val acc")
    loss_axes.set_ylim(_limits(history[["loss", "val_loss"]], LOSS_LIMITS["classification"]))
    accuracy_axes.set_ylim(_limits(history[["accuracy", "val_accuracy"]], ACCURACY_LIMITS))
    _label_epochs(loss_axes)
    loss_axes.set_ylabel("loss")
    accuracy_axes.set_ylabel("accuracy")
    loss_axes.legend(loc="upper left")
    accuracy_axes.legend(loc="lower left")


def _draw_number_curves(axes: Axes, history: pd.DataFrame) -> None:
    axes.plot(history["epoch"], history["loss"], marker=_marker(history), label="train")
    axes.plot(history["epoch"], history["val_loss"], marker=_marker(history), label="val")
    axes.set_ylim(_limits(history[["loss", "val_loss"]], LOSS_LIMITS["regression"]))
    _label_epochs(axes)
    axes.set_ylabel("loss")
    axes.legend(loc="upper left")


CURVES: dict[str, Callable[[Axes, pd.DataFrame], None]] = {
    "classification": _draw_class_curves,
    "regression": _draw_number_curves,
}


def _label_epochs(axes: Axes) -> None:
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))


def _marker(history: pd.DataFrame) -> str | None:
    # a line of one point does not show
    return "o" if len(history) == 1 else None


def _limits(curves: pd.DataFrame, limits: tuple[float, float]) -> tuple[float, float]:
    # wider only for a curve most of which would not show
    hidden = curves.loc[:, curves.apply(lambda curve: curve.between(*limits).mean()) < 0.5]
    hidden = hidden[np.isfinite(hidden)]
    if hidden.isna().all(axis=None):
        return limits
    return min(limits[0], hidden.min().min()), max(limits[1], hidden.max().max())


def draw_predictions(info: DatasetInfo, predictions: pd.DataFrame, file: Path) -> None:
    """Draw a confusion matrix, or predicted against real numbers.

    Args:
        info: the dataset's.
        predictions: as `predictions.load_predictions` returns them.
        file: the PNG to write.
    """
    figure = Figure(figsize=(8, 8))
    CHARTS[info.task](figure.subplots(), predictions, info)
    save_figure(figure, file)


def _draw_confusion(axes: Axes, predictions: pd.DataFrame, info: DatasetInfo) -> None:
    classes = info.classes or []
    table = pd.crosstab(predictions["real"], predictions["predicted"])
    counts = table.reindex(index=classes, columns=classes, fill_value=0).to_numpy()
    # logarithmic, so that single errors show beside a thousand hits; cells of none stay white
    colors = LogNorm(vmin=0.5, vmax=max(1.0, float(counts.max())))
    axes.imshow(np.ma.masked_equal(counts, 0), cmap="Blues", norm=colors)
    axes.set_xlabel("predicted")
    axes.set_ylabel("real")
    axes.set_title(f"{len(predictions):,} test pictures")
    if len(classes) <= MAX_LABELLED_CLASSES:
        axes.set_xticks(range(len(classes)), classes, rotation=_rotation(classes))
        axes.set_yticks(range(len(classes)), classes)
        for row, column in np.argwhere(counts):
            count = counts[row, column]
            axes.text(
                column, row, str(count), ha="center", va="center", color="white" if colors(count) > 0.6 else "black"
            )


def _draw_scatter(axes: Axes, predictions: pd.DataFrame, info: DatasetInfo) -> None:
    real, predicted = predictions["real"], predictions["predicted"]
    ends = [min(real.min(), predicted.min()), max(real.max(), predicted.max())]
    axes.plot(ends, ends, color="black", linewidth=1, label="predicted = real")
    size = max(2.0, min(30.0, 20_000 / len(real)))
    axes.scatter(real, predicted, s=size, alpha=0.5, linewidths=0)
    in_unit = f" ({info.unit})" if info.unit else ""
    axes.set_xlabel(f"real{in_unit}")
    axes.set_ylabel(f"predicted{in_unit}")
    axes.set_title(f"{len(predictions):,} test pictures")
    axes.set_aspect("equal")
    axes.legend(loc="upper left")


CHARTS: dict[str, Callable[[Axes, pd.DataFrame, DatasetInfo], None]] = {
    "classification": _draw_confusion,
    "regression": _draw_scatter,
}
