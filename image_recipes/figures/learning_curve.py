"""A recipe's learning curve: how good it is, over how many pictures it has learned from."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from image_recipes.figures.canvas import save_figure


def draw_learning_curve(
    table: pd.DataFrame, means: pd.DataFrame, metric: str, ends: tuple[float, float], file: Path
) -> None:
    """Draw each training as a point, and a line through the means.

    Args:
        table: a row for each training, with its number of `pictures` and the metric.
        means: the same of each number of pictures.
        metric: a column of both.
        ends: of the axis of the metric.
        file: the PNG to write.
    """
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(means["pictures"], means[metric], color="#1f5fa8", label="mean")
    axes.plot(table["pictures"], table[metric], "o", color="#1f5fa8", alpha=0.45, label="a training")
    # each doubling is as wide
    axes.set_xscale("log")
    axes.set_xticks(means["pictures"], [f"{count:,}" for count in means["pictures"]])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(ends)
    axes.set_xlabel("training pictures")
    axes.set_ylabel(f"{metric} of the validation pictures")
    axes.grid(alpha=0.3)
    axes.legend()
    save_figure(figure, file)
