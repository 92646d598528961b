"""Titles above the pictures of a grid: those that are too long for one line are broken, never over their neighbours."""

from collections.abc import Callable, Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

# of broken titles, in points
SMALL_LETTERS = 8
LINE_HEIGHT = 11
TITLE_PAD = 8
POINTS_PER_INCH = 72
HEADING_LETTERS = 13
# in inches
HEADING_PAD = 0.15
# between titles side by side, in pixels
MARGIN = 6
# of a line that is broken at a blank, the share that it fills at least
LEAST_FILLED = 0.5


def break_titles(figure: Figure, grid: Sequence[Sequence[Axes]], titles: Sequence[Sequence[str]]) -> None:
    """Break the titles of a grid of pictures into lines, unless each has room in one.

    Args:
        figure: the whole one, of a canvas that can measure texts.
        grid: rows of axes, side by side.
        titles: a title for each of the first of these, of parts that get lines of their own.
    """
    drawn = [axes.title for row in grid for axes in row][: len(titles)]
    first, second = (grid[0][column].get_position().x0 * figure.bbox.width for column in (0, 1))
    room = second - first - MARGIN
    if all(_width(text) <= room for text in drawn):
        return
    lines = 1
    for text, parts in zip(drawn, titles, strict=True):
        text.set_fontsize(SMALL_LETTERS)
        fits = partial(_fits, text, room)
        broken = [line for part in parts for line in _break(part, fits)]
        text.set_text("\n".join(broken))
        lines = max(lines, len(broken))
    _make_room(figure, len(grid), (TITLE_PAD + LINE_HEIGHT * lines) / POINTS_PER_INCH)


def head_figure(figure: Figure, row: Sequence[Axes], heading: str) -> None:
    """Write a heading above the titles of a grid's first row."""
    top = max(text.get_window_extent().y1 for axes in row for text in (axes.title, axes.patch))
    edge = row[0].get_position().x0
    above = (top + figure.dpi * HEADING_PAD) / figure.bbox.height
    figure.text(edge, above, heading, fontsize=HEADING_LETTERS, ha="left", va="bottom")


def _width(text: Text) -> float:
    return text.get_window_extent().width


def _fits(text: Text, room: float, shown: str) -> bool:
    text.set_text(shown)
    return _width(text) <= room


def _break(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Break a text into one or two lines; of a longer one, the second begins with an ellipsis and has its end."""
    if fits(text):
        return [text]
    length = _longest(len(text), lambda count: fits(text[:count]))
    blank = text.rfind(" ", 0, length + 1)
    if blank >= LEAST_FILLED * length:
        head, rest = text[:blank], text[blank + 1 :]
    else:
        head, rest = text[:length], text[length:]
    if fits(rest):
        return [head, rest]
    kept = _longest(len(rest), lambda count: fits(f"…{rest[-count:]}"))
    return [head, f"…{rest[-kept:]}"]


def _longest(most: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number from 1 to `most` that fits, or 1."""
    low, high = 1, most
    while low < high:
        middle = -(-(low + high) // 2)
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _make_room(figure: Figure, rows: int, gap: float) -> None:
    """Move a grid's rows apart so that there are so many inches between them, with axes of the same size."""
    params, height = figure.subplotpars, figure.get_figheight()
    inside = (params.top - params.bottom) * height
    side = inside / (rows + params.hspace * (rows - 1))
    more = max(0.0, gap - params.hspace * side)
    taller = height + more * (rows - 1)
    figure.set_figheight(taller)
    figure.subplots_adjust(
        bottom=params.bottom * height / taller,
        top=1 - (1 - params.top) * height / taller,
        hspace=params.hspace + more / side,
    )
