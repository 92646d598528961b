"""Predictions against reality: a confusion matrix of classes, a scatter of numbers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from image_recipes.core.dataset import DatasetInfo
from image_recipes.figures.canvas import name_classes, save_figure
from image_recipes.results.confusion import CONFUSION_FOLDER, choose_confused, count_confusions
from image_recipes.results.names import name_in_short

# draws predictions on axes
PlotPredictions = Callable[[Axes, pd.DataFrame, DatasetInfo], None]


def draw_predictions(plot: PlotPredictions, predictions: pd.DataFrame, info: DatasetInfo, file: Path) -> None:
    """Draw the test predictions of a recipe.

    Args:
        plot: that of the task, `FIGURES[task].plot_predictions`.
        predictions: as `results.predictions.load_predictions` returns them.
        info: the dataset's.
        file: the PNG to write.
    """
    figure = Figure(figsize=(8, 8))
    plot(figure.subplots(), predictions, info)
    save_figure(figure, file)


def plot_confusion(axes: Axes, predictions: pd.DataFrame, info: DatasetInfo) -> None:
    """Draw how often each class was taken for each; of too many to name, those most often taken for each other."""
    confusions = count_confusions(predictions, info.class_names)
    classes = choose_confused(confusions, info.class_names)
    table = confusions.pivot(index="real", columns="predicted", values="pictures")
    counts = table.reindex(index=classes, columns=classes).fillna(0).to_numpy(int)
    # logarithmic, so that single errors show beside a thousand hits; cells of none stay white
    colors = LogNorm(vmin=0.5, vmax=max(1.0, float(counts.max())))
    axes.imshow(np.ma.masked_equal(counts, 0), cmap="Blues", norm=colors)
    axes.set_xlabel("predicted")
    axes.set_ylabel("real")
    title = f"{len(predictions):,} test pictures"
    if len(classes) < len(info.class_names):
        title += f"\nthe {len(classes)} most confused of {len(info.class_names):,} classes; all in {CONFUSION_FOLDER}"
    axes.set_title(title)
    name_classes(axes, classes)
    axes.set_yticks(range(len(classes)), name_in_short(classes))
    for row, column in np.argwhere(counts):
        count = counts[row, column]
        axes.text(column, row, str(count), ha="center", va="center", color="white" if colors(count) > 0.6 else "black")


def plot_scatter(axes: Axes, predictions: pd.DataFrame, info: DatasetInfo) -> None:
    """Draw predicted against real numbers."""
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
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.08), frameon=False)
