"""Sentences with values to fill in: printed in English, and shown by the report in two languages."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Sentence(NamedTuple):
    """A sentence or a part of one, with values to fill in; a value may be a part itself.

    >>> str(Sentence("better than {rival}", {"rival": Sentence("always answering {answer}", {"answer": "birch"})}))
    'better than always answering birch'
    """

    text: str
    values: Mapping[str, Any] = {}

    def __str__(self) -> str:
        return self.text.format(**self.values)
