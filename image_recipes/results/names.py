"""How a name that people gave, such as a class's, is shown: in one line, in little room, distinct from others."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

from image_recipes.core.errors import JOINERS, escape

# more classes than that are not named in a figure or a chart
MAX_NAMED_CLASSES = 30
# of all classes' names together, side by side below an axis
MAX_LETTERS_ABREAST = 40
# of one class's name beside an axis
MAX_LETTERS = 30


def show_name(name: str) -> str:
    r"""Show a name in one line: control characters escaped, blanks at its ends visible.

    >>> show_name("two\nlines"), show_name("trailing ")
    ('two\\nlines', 'trailing␣')
    """
    inside = name.strip(" ")
    blanks = len(name) - len(name.lstrip(" "))
    return "␣" * blanks + escape(inside) + "␣" * (len(name) - len(inside) - blanks)


def count_cells(text: str) -> int:
    """Count the cells of a terminal that a text takes: those of Han, kana, Hangul and emoji are two wide.

    >>> count_cells("cat"), count_cells("한국어")
    (3, 6)
    """
    return sum(_cells(letter) for letter in text)


def _cells(letter: str) -> int:
    if unicodedata.combining(letter) or letter in JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def shorten(text: str, cells: int) -> str:
    """Leave out the middle of a text that takes more cells: its beginning and its end tell most.

    >>> shorten("Genus species number 017", 16)
    'Genus sp…ber 017'
    """
    if count_cells(text) <= cells:
        return text
    head, tail = _fill(text, cells // 2), _fill(text[::-1], cells - 1 - cells // 2)
    return f"{head}…{tail[::-1]}"


def _fill(text: str, cells: int) -> str:
    taken = 0
    for number, letter in enumerate(text):
        taken += _cells(letter)
        if taken > cells:
            return text[:number]
    return text


def name_in_short(names: Sequence[str], cells: int = MAX_LETTERS) -> list[str]:
    """Show names of at most so many cells each, all distinct: those that would look alike get their number.

    >>> name_in_short(["a long name: one, indeed", "a long name: two, indeed", "b"], 14)
    ['a lon…ndeed #0', 'a lon…ndeed #1', 'b']
    """
    whole = [show_name(name) for name in names]
    short = [shorten(name, cells) for name in whole]
    alike = Counter(short)
    for number, name in enumerate(short):
        if alike[name] > 1:
            tag = f" #{number}"
            short[number] = shorten(whole[number], cells - len(tag)) + tag
    return short


def fit_abreast(names: Sequence[str]) -> bool:
    """Tell whether names find room side by side below an axis."""
    return sum(map(len, names)) <= MAX_LETTERS_ABREAST
