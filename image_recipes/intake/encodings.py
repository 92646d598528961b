"""Texts of old systems, whose encoding nothing tells: Korean and Western European ones."""

from typing import NamedTuple

from charset_normalizer import from_bytes

OLD_ENCODINGS = ["cp949", "cp1252"]


class Guess(NamedTuple):
    """A text, and the encoding that suits its letters."""

    text: str
    encoding: str


def guess_text(content: bytes) -> Guess | None:
    """Decode bytes that are no UTF-8 by the old encoding that suits them best; None if none does."""
    best = from_bytes(content, cp_isolation=OLD_ENCODINGS).best()
    return None if best is None else Guess(str(best), best.encoding)
