"""What all drawing shares: fonts that have every letter, texts as they are, files written whole."""

from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure

from image_recipes.files import written_whole

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
