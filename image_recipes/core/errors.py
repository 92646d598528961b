"""The errors that a person can act on."""

import difflib
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
