"""Damage for tests: files as a disk, a merge or a stranger may leave them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from hypothesis import strategies as st

from image_recipes.core.errors import MOST_LETTERS, UserError, escape

Loaded = TypeVar("Loaded")

PIECES = st.sampled_from([b"", b"\0", b"\n", b",", b"-1", b"99999999999999999999", b"nan", b'"', b"\xff", b"{", b"["])


@contextmanager
def temporary_file(content: bytes, name: str) -> Iterator[Path]:
    """Write a file into a folder of its own, for each example a new one."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        yield file


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """Cut out a part of some bytes, or put others in its place, once to three times."""
    cuts = st.tuples(
        st.integers(0, len(content)), st.integers(0, 8) | st.integers(0, len(content)), PIECES | st.binary(max_size=8)
    )
    return st.lists(cuts, min_size=1, max_size=3).map(lambda some: _cut(content, some))


def _cut(content: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for start, length, piece in cuts:
        content = content[:start] + piece + content[start + length :]
    return content


def loaded_or_refused(load: Callable[[], Loaded]) -> Loaded | None:
    """Load something; None where it is refused, which must be in lines that a terminal can show."""
    try:
        return load()
    except UserError as error:
        refused = error
    assert refused.args
    assert all(line == escape(line) and len(line) <= MOST_LETTERS for line in refused.args)
    return None
