"""What all drawing shares: fonts that have every letter, texts as they are, files written whole."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from image_recipes.core.files import written_whole
from image_recipes.figures.fonts import choose_fonts, without_warnings
from image_recipes.results.names import MAX_NAMED_CLASSES, fit_abreast, name_in_short

# a name with two dollars is no formula
mpl.rcParams["text.parse_math"] = False


def save_figure(figure: Figure, file: Path) -> None:
    """Write a figure as a PNG that is the same whenever it is drawn, whole or not at all."""
    choose_fonts(figure)
    with written_whole(file) as partial, without_warnings():
        figure.savefig(partial, bbox_inches="tight", dpi=100, metadata={"Software": None})


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
