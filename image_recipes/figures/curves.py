"""Training curves: of one recipe, and of several on one scale and side by side."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from image_recipes.figures.canvas import save_figure
from image_recipes.results.curves import COLORS, Scale, choose_scale
from image_recipes.results.names import name_in_short

# of recipes side by side
MOST_ABREAST = 4
# in inches
PANEL = (5.2, 3.6)
SMALL_PANEL = (3.3, 2.4)
# of a legend, in one column
MOST_LINES = 14
# where there are more recipes than colours
STYLES = ("-", "--", ":", "-.")


def draw_history(columns: Sequence[str], history: pd.DataFrame, file: Path) -> None:
    """Draw one recipe's training curves, those of training and validation pictures in one panel.

    Args:
        columns: a panel for each, `FIGURES[task].curves`.
        history: as `results.history.load_history` returns it.
        file: the PNG to write.
    """
    figure = Figure(figsize=(PANEL[0] * len(columns), PANEL[1]), layout="constrained")
    for axes, column in zip(figure.subplots(1, len(columns), squeeze=False).flat, columns, strict=True):
        _plot_both(axes, column, history, COLORS[0])
        _set_axes(axes, column, choose_scale(column, _both(column, history)))
    _explain_styles(figure, COLORS[0])
    save_figure(figure, file)


def draw_histories(columns: Sequence[str], histories: Mapping[str, pd.DataFrame], file: Path) -> None:
    """Draw the training curves of several recipes: on validation pictures in one panel, then recipe by recipe.

    Args:
        columns: panels for each, `FIGURES[task].curves`.
        histories: a history for each recipe's name.
        file: the PNG to write.
    """
    if len(histories) == 1:
        draw_history(columns, next(iter(histories.values())), file)
        return
    blocks = -(-len(histories) // MOST_ABREAST)
    abreast = -(-len(histories) // blocks)
    heights = [PANEL[1], SMALL_PANEL[1] * blocks * len(columns)]
    width = max(PANEL[0] * len(columns) + 2, SMALL_PANEL[0] * abreast)
    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    parts = figure.add_gridspec(2, 1, height_ratios=heights, hspace=0.04)
    shared, single = (figure.add_subfigure(part) for part in (parts[0], parts[1]))
    _plot_shared(shared, columns, histories)
    _plot_single(single, columns, histories, abreast)
    save_figure(figure, file)


def _plot_shared(figure: SubFigure, columns: Sequence[str], histories: Mapping[str, pd.DataFrame]) -> None:
    figure.suptitle("on the validation pictures")
    styles = [(color, style) for style, color in product(STYLES, COLORS)]
    for axes, column in zip(figure.subplots(1, len(columns), squeeze=False).flat, columns, strict=True):
        for number, history in enumerate(histories.values()):
            color, style = styles[number % len(styles)]
            axes.plot(history["epoch"], history[f"val_{column}"], color=color, linestyle=style, marker=_marker(history))
        curves = [history[f"val_{column}"].to_numpy(float) for history in histories.values()]
        _set_axes(axes, column, choose_scale(column, curves, allow_logarithmic=True))
    figure.legend(
        figure.axes[0].lines,
        name_in_short(list(histories)),
        loc="outside right upper",
        ncols=-(-len(histories) // MOST_LINES),
    )


def _plot_single(
    figure: SubFigure, columns: Sequence[str], histories: Mapping[str, pd.DataFrame], abreast: int
) -> None:
    names, blocks = name_in_short(list(histories)), -(-len(histories) // abreast)
    grid = figure.subplots(blocks * len(columns), abreast, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for row, column in enumerate(columns):
        scale = choose_scale(column, [curve for history in histories.values() for curve in _both(column, history)])
        for number, history in enumerate(histories.values()):
            axes = grid[number // abreast * len(columns) + row, number % abreast]
            axes.axis("on")
            _plot_both(axes, column, history, COLORS[number % len(COLORS)])
            _set_axes(axes, column, scale)
            if row == 0:
                axes.set_title(names[number])
    _explain_styles(figure, "black")


def _both(column: str, history: pd.DataFrame) -> list[np.ndarray]:
    return [history[name].to_numpy(float) for name in (f"val_{column}", column)]


def _plot_both(axes: Axes, column: str, history: pd.DataFrame, color: str) -> None:
    for name, style, opacity in [(column, "--", 0.75), (f"val_{column}", "-", 1)]:
        axes.plot(history["epoch"], history[name], color=color, linestyle=style, alpha=opacity, marker=_marker(history))


def _explain_styles(figure: Figure | SubFigure, color: str) -> None:
    lines = [Line2D([], [], color=color, linestyle="-"), Line2D([], [], color=color, linestyle="--")]
    figure.legend(lines, ["validation", "training"], loc="outside upper left", ncols=2)


def _set_axes(axes: Axes, column: str, scale: Scale) -> None:
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    axes.set_ylabel(column)
    axes.set_yscale("log" if scale.logarithmic else "linear")
    axes.set_ylim(scale.low, scale.high)
    axes.grid(alpha=0.3)


def _marker(history: pd.DataFrame) -> str | None:
    # a line of one point does not show
    return "o" if len(history) == 1 else None
