"""The errors that a person can act on, and how what others have written is shown in them."""

import difflib
import os
import unicodedata
from collections.abc import Iterable

# invisible by themselves: they join letters and emoji
JOINERS = "\u200c\u200d"
# of a finding, and of a value in one
MOST_LETTERS, MOST_LETTERS_OF_VALUE = 1_000, 80


class UserError(Exception):
    """Say in one line what is wrong, where (file, recipe, key), and what to do about it.

    Several findings may share one error, a line each. Whatever stands in a finding, such as a stranger's file
    name, it is one line of bounded length, in which control characters are escaped.
    """

    def __init__(self, *findings: str) -> None:
        # escaped again, as where an error comes from another process, they stay as they are
        super().__init__(*(shorten(escape(finding), MOST_LETTERS) for finding in findings))

    def __str__(self) -> str:
        return "\n".join(self.args)


def escape(text: str) -> str:
    r"""Escape what a terminal would obey or not show: control characters, ends of lines, marks of direction.

    >>> escape("two\nlines, \x1b[31mred, 한국어")
    'two\\nlines, \\x1b[31mred, 한국어'
    """
    return text if text.isprintable() else "".join(map(_escape_letter, text))


def _escape_letter(letter: str) -> str:
    # among the separators are a wide blank of Japanese and one that does not break
    if letter.isprintable() or letter in JOINERS or unicodedata.category(letter) == "Zs":
        return letter
    return repr(letter)[1:-1]


def shorten(text: str, most: int) -> str:
    """Leave out the middle of a text of more letters than that.

    >>> shorten("0123456789", 7)
    '012…789'
    """
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


def show_value(value: object) -> str:
    """Show a value as Python writes it, shortened if it is long.

    >>> show_value("x" * 100_000)[:10], len(show_value("x" * 100_000))
    ("'xxxxxxxxx", 80)
    """
    return shorten(repr(value), MOST_LETTERS_OF_VALUE)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Suggest the nearest of the known names, or list them when none is near.

    Args:
        word: what the user wrote; of any type, since a YAML key may be a number.
        known: the names that would have been right.

    Returns:
        The end of a sentence.

    >>> did_you_mean("epoch", ["epochs", "batch_size"])
    "did you mean 'epochs'?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(shorten(str(word), MOST_LETTERS_OF_VALUE), names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(name if name.isprintable() else repr(name) for name in names) or 'none'}"


def one_line(error: Exception) -> str:
    """Fold an error's message into one line."""
    return " ".join(str(error).split()) or type(error).__name__


def show_path(path: object) -> str:
    r"""Return a path as it can be printed and written: what is not UTF-8 in it is escaped, such as `caf\xe9.png`."""
    return os.fsencode(str(path)).decode("utf-8", "backslashreplace")


def how_to_install(extra: str) -> str:
    """Say how an extra of pyproject.toml is installed.

    >>> how_to_install("demo")
    "run `make extras` for what is pinned, or `pip install --editable '.[demo]'`"
    """
    return f"run `make extras` for what is pinned, or `pip install --editable '.[{extra}]'`"
