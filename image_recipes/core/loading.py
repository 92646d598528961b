"""Loading what is stored: checked before anything relies on it, so that what is damaged is refused in one line.

Whoever loads a file says what it must hold, inside of `loading`; the checks raise ValueError.
"""

import io
import json
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from image_recipes.core.errors import UserError, one_line, shorten

if TYPE_CHECKING:
    import pandas as pd

# what grows more when it is unpacked, and is large, is a bomb
MOST_GROWTH, BYTES_WITHOUT_LIMIT = 100, 2**28
MOST_LETTERS_OF_REASON = 200

# what a column holds: texts, even if they look like numbers; numbers, some of them NaN; whole numbers from 0;
# or whatever pandas makes of it
Kind = Literal["text", "number", "count", "any"]


@contextmanager
def loading(file: Path, remedy: str) -> Iterator[None]:
    """Say of whatever goes wrong with a file while it is loaded what to do, and why.

    Args:
        file: for the error; may be a folder.
        remedy: how to get it again, such as "make it by `dvc repro train@net`".

    Raises:
        UserError: the block has raised.
    """
    try:
        yield
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{file}: missing or damaged: {remedy}") from None
    except Exception as error:  # what damaged content raises depends on where the damage is
        reason = error.strerror if isinstance(error, OSError) and error.strerror else one_line(error)
        raise UserError(f"{file}: missing or damaged: {remedy} ({shorten(reason, MOST_LETTERS_OF_REASON)})") from None


def by_stage(stage: str) -> str:
    """Return the remedy for what a stage makes, such as `train@net`."""
    return f"make it by `dvc repro {stage}`"


def load_array(file: Path, dtype: type, shape: Sequence[int | None]) -> np.ndarray:
    """Open the array of a `.npy` file, memory-mapped.

    Args:
        file: as `np.save` writes it.
        dtype: such as `np.uint8`.
        shape: of which None is any number.

    Raises:
        OSError, ValueError: it is damaged, or another array.
    """
    return check_array(np.load(file, mmap_mode="r", allow_pickle=False), dtype, shape, file.name)


def check_array(array: np.ndarray, dtype: type, shape: Sequence[int | None], name: str) -> np.ndarray:
    """Return an array if it is of this dtype and shape, of which None is any number.

    Raises:
        ValueError: it is not.
    """
    sizes = zip(shape, array.shape, strict=False)
    if array.dtype != dtype or array.ndim != len(shape) or any(size not in (None, found) for size, found in sizes):
        wanted = ", ".join("any" if size is None else f"{size}" for size in shape)
        raise ValueError(f"{name} is {array.dtype} {array.shape}, not {np.dtype(dtype)} ({wanted})")
    return array


def check_positions(positions: np.ndarray, count: int | None) -> None:
    """Check that positions of pictures, int64 (n,), are those of the first `count`, if that is known, none twice.

    Raises:
        ValueError: they are not.
    """
    if not len(positions):
        return
    if positions.min() < 0 or (count is not None and positions.max() >= count):
        outside = positions.min() if positions.min() < 0 else positions.max()
        raise ValueError(f"it names picture {outside:,}" + ("" if count is None else f", but there are {count:,}"))
    if len(np.unique(positions)) < len(positions):
        raise ValueError("it names a picture twice")


def load_table(file: Path, columns: Mapping[str, Kind], **options: Any) -> "pd.DataFrame":
    """Read a table from CSV by `pandas.read_csv`, in which empty cells are texts unless its options say otherwise.

    Args:
        file: UTF-8, its last line ended.
        columns: what it must have.
        options: of pandas.

    Raises:
        OSError, ValueError: it is no such table.
    """
    return parse_table(file.read_bytes(), columns, **options)


def parse_table(content: bytes, columns: Mapping[str, Kind], **options: Any) -> "pd.DataFrame":
    """Read the bytes of such a file.

    Raises:
        ValueError: they are no such table.
    """
    # here, since not everything that loads has tables
    import pandas as pd

    texts = {name: str for name, kind in columns.items() if kind == "text"}
    given = {"keep_default_na": False, **options, "dtype": {**texts, **options.get("dtype", {})}}
    if not content.endswith(b"\n"):
        raise ValueError("its last line is not whole")
    table: pd.DataFrame = pd.read_csv(io.BytesIO(content), **given)
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError("its lines have more cells than the first one")
    return check_columns(table, columns)


def check_columns(table: "pd.DataFrame", columns: Mapping[str, Kind]) -> "pd.DataFrame":
    """Return a table if it has these columns, with what they must hold.

    Raises:
        ValueError: it has not.
    """
    check_names(table.columns, columns)
    for name, kind in columns.items():
        values = table[name]
        if kind == "text" and values.isna().any():
            raise ValueError(f"cells of the column {name!r} are missing")
        # a column without cells has no dtype
        if kind == "number" and len(values) and values.dtype.kind not in "iuf":
            raise ValueError(f"the column {name!r} holds more than numbers")
        if kind == "count" and len(values) and (values.dtype.kind not in "iu" or values.min() < 0):
            raise ValueError(f"the column {name!r} holds more than whole numbers from 0")
    return table


def check_names(found: Collection[str], wanted: Collection[str]) -> None:
    """Check that these columns or keys are there.

    Raises:
        ValueError: some are not.
    """
    if missing := [name for name in wanted if name not in found]:
        raise ValueError(f"without {', '.join(map(repr, missing))}")


def load_json(file: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        OSError, ValueError: it does not.
    """
    return parse_json(file.read_bytes())


def parse_json(content: bytes) -> dict[str, Any]:
    """Read the bytes of such a file.

    Raises:
        ValueError: they hold no object.
    """
    values = json.loads(content)
    if not isinstance(values, dict):
        raise ValueError("it holds no JSON object")
    return values


def check_zip(archive: zipfile.ZipFile) -> None:
    """Check that nothing in a ZIP file, such as an `.npz` or a `.keras`, grows beyond measure when it is unpacked.

    Raises:
        ValueError: something does.
    """
    for member in archive.infolist():
        check_growth(member.filename, member.file_size, member.compress_size)


def check_growth(name: str, size: int, packed: int) -> None:
    """Check that content of `packed` bytes may grow to `size` bytes.

    Raises:
        ValueError: it may not.
    """
    if size > BYTES_WITHOUT_LIMIT and size > MOST_GROWTH * packed:
        raise ValueError(f"{name}: {size:,} bytes in {packed:,}: a bomb: do not trust it")
