"""Writing files whole or not at all."""

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path beside the wanted one to write to, and move it into place at the end.

    Works for a file and for a folder; what was there before is replaced. If the block
    raises, the half-written part is removed and what was there before stays.

    Args:
        path: where the finished file or folder belongs; its parents are made.

    Yields:
        The path to write to, which keeps the ending of the name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.name}")
    _remove(partial)
    try:
        yield partial
        if partial.is_dir():
            _remove(path)
        partial.replace(path)
    except BaseException:
        _remove(partial)
        raise


def write_text(text: str, file: Path) -> None:
    """Write a text file as UTF-8, whole or not at all."""
    with written_whole(file) as partial:
        partial.write_text(text, encoding="utf-8")


def save_table(table: "pd.DataFrame", file: Path) -> None:
    """Write a table as CSV, whole or not at all; numbers with seven digits, about those of float32."""
    with written_whole(file) as partial:
        table.to_csv(partial, index=False, float_format="%.7g", quoting=choose_quoting(table))


def choose_quoting(table: "pd.DataFrame") -> Literal[0, 2]:
    """Choose how texts are quoted in CSV so that they can be read back: all of them, if one has a carriage return.

    Python's writer leaves that one as it is, and readers take it for the end of a line.
    """
    texts = [table[name].astype(str) for name in table.select_dtypes(exclude="number")]
    found = any("\r" in str(name) for name in table) or any(text.str.contains("\r").any() for text in texts)
    return csv.QUOTE_NONNUMERIC if found else csv.QUOTE_MINIMAL


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
