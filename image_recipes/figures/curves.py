"""Training curves: of one recipe, and of several side by side."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from image_recipes.figures.canvas import save_figure

COMPARISON_COLUMNS = 3
# the lectures' limits of the axes
CLASS_LOSS_LIMITS = (0.0, 0.5)
ACCURACY_LIMITS = (0.8, 1.0)
NUMBER_LOSS_LIMITS = (0.0, 300.0)

# plots one history on axes
PlotHistory = Callable[[Axes, pd.DataFrame], None]


def draw_history(plot: PlotHistory, history: pd.DataFrame, file: Path) -> None:
    """Draw one recipe's training curves.

    Args:
        plot: that of the task, `FIGURES[task].plot_history`.
        history: as `results.history.load_history` returns it.
        file: the PNG to write.
    """
    figure = Figure(figsize=(6.4, 4.8))
    plot(figure.subplots(), history)
    save_figure(figure, file)


def draw_histories(plot: PlotHistory, histories: Mapping[str, pd.DataFrame], file: Path) -> None:
    """Draw the training curves of several recipes side by side.

    Args:
        plot: that of the task, `FIGURES[task].plot_history`.
        histories: a history for each recipe's name.
        file: the PNG to write.
    """
    columns = min(COMPARISON_COLUMNS, len(histories))
    rows = -(-len(histories) // columns)
    figure = Figure(figsize=(6.4 * columns, 4.8 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes in grid[len(histories) :]:
        axes.axis("off")
    for axes, (name, history) in zip(grid, histories.items(), strict=False):
        plot(axes, history)
        axes.set_title(name)
    save_figure(figure, file)


def plot_class_history(loss_axes: Axes, history: pd.DataFrame) -> None:
    """Draw loss and accuracy of training and validation pictures over the epochs."""
    accuracy_axes = loss_axes.twinx()
    epoch = history["epoch"]
    marker = _marker(history)
    loss_axes.plot(epoch, history["loss"], "y", marker=marker, label="train loss")
    loss_axes.plot(epoch, history["val_loss"], "r", marker=marker, label="val loss")
    accuracy_axes.plot(epoch, history["accuracy"], "b", marker=marker, label="train acc")
    accuracy_axes.plot(epoch, history["val_accuracy"], "g", marker=marker, label="val acc")
    loss_axes.set_ylim(_limits(history[["loss", "val_loss"]], CLASS_LOSS_LIMITS))
    accuracy_axes.set_ylim(_limits(history[["accuracy", "val_accuracy"]], ACCURACY_LIMITS))
    _label_epochs(loss_axes)
    loss_axes.set_ylabel("loss")
    accuracy_axes.set_ylabel("accuracy")
    loss_axes.legend(loc="upper left")
    accuracy_axes.legend(loc="lower left")


def plot_number_history(axes: Axes, history: pd.DataFrame) -> None:
    """Draw the loss of training and validation pictures over the epochs."""
    axes.plot(history["epoch"], history["loss"], marker=_marker(history), label="train")
    axes.plot(history["epoch"], history["val_loss"], marker=_marker(history), label="val")
    axes.set_ylim(_limits(history[["loss", "val_loss"]], NUMBER_LOSS_LIMITS))
    _label_epochs(axes)
    axes.set_ylabel("loss")
    axes.legend(loc="upper left")


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
