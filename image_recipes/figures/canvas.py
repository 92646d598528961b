"""What all drawing shares: fonts that have every letter, texts as they are, files written whole."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from image_recipes.core.files import written_whole

MAX_NAMED_CLASSES = 30
# of all classes' names together, side by side below an axis
MAX_LETTERS_ABREAST = 40
# for letters that matplotlib's own font lacks: those of these that are installed
FALLBACK_FONTS = ("Noto Sans CJK KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo", "UnDotum")
mpl.rcParams["font.family"] = [
    "DejaVu Sans",
    *(name for name in FALLBACK_FONTS if name in font_manager.get_font_names()),
]
# a name with two dollars is no formula
mpl.rcParams["text.parse_math"] = False


def save_figure(figure: Figure, file: Path) -> None:
    """Write a figure as a PNG that is the same whenever it is drawn, whole or not at all."""
    with written_whole(file) as partial:
        figure.savefig(partial, bbox_inches="tight", dpi=100, metadata={"Software": None})


def name_classes(axes: Axes, classes: Sequence[str]) -> bool:
    """Write the classes' names below the x axis, upright if they are long; none if there are too many.

    Returns:
        Whether they are named.
    """
    named = len(classes) <= MAX_NAMED_CLASSES
    if named:
        upright = sum(map(len, classes)) > MAX_LETTERS_ABREAST
        axes.set_xticks(range(len(classes)), classes, rotation="vertical" if upright else "horizontal")
    return named
