"""The errors that a person can act on."""

import difflib
import os
from collections.abc import Iterable


class UserError(Exception):
    """Say in one line what is wrong, where (file, recipe, key), and what to do about it.

    Several findings may share one error, a line each.
    """


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
    near = difflib.get_close_matches(str(word), names, n=1, cutoff=0.5)
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
