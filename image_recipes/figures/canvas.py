"""What all drawing shares: fonts that have every letter, texts as they are, files written whole."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from image_recipes.core.files import written_whole
from image_recipes.figures.fonts import choose_fonts, without_warnings
from image_recipes.results.names import MAX_NAMED_CLASSES, fit_abreast, name_in_short

# a name with two dollars is no formula
mpl.rcParams["text.parse_math"] = False
# how many times its low end the high end of a logarithmic axis is: at least, and at most for labels in between
LEAST_TIMES, MOST_TIMES = 10, 100


def save_figure(figure: Figure, file: Path) -> None:
    """Write a figure as a PNG that is the same whenever it is drawn, whole or not at all."""
    choose_fonts(figure)
    with written_whole(file) as partial, without_warnings():
        figure.savefig(partial, bbox_inches="tight", dpi=100, metadata={"Software": None})


def set_log_axis(axes: Axes, values: np.ndarray) -> None:
    """Spread an x axis by the logarithm, with plain numbers at it.

    Args:
        axes: whose x axis.
        values: that lie on it, positive; NaN do not.
    """
    axes.set_xscale("log")
    low, high = np.nanmin(values), np.nanmax(values)
    # of a short axis more than the powers of ten
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < MOST_TIMES * low else (1.0,)))
    if high < LEAST_TIMES * low:
        # a shorter one would have labels at odd numbers
        middle, half = (low * high) ** 0.5, LEAST_TIMES**0.5
        axes.set_xlim(middle / half, middle * half)
    # formulas are not drawn
    thousands = EngFormatter(sep="")
    axes.xaxis.set_major_formatter(lambda number, _: thousands(number) if number >= 1000 else f"{number:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def name_classes(axes: Axes, classes: Sequence[str]) -> bool:
    """Write the classes' names below the x axis, upright if they are long; none if there are too many.

    Returns:
        Whether they are named.
    """
    named = len(classes) <= MAX_NAMED_CLASSES
    if named:
        names = name_in_short(classes)
        axes.set_xticks(range(len(names)), names, rotation="horizontal" if fit_abreast(names) else "vertical")
    return named
