"""The source `table`: a CSV or TSV file that names pictures, and a class or a number for each."""

import csv
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
import pandas as pd

from image_recipes.errors import UserError, did_you_mean
from image_recipes.folder import SPLITS
from image_recipes.params import Section, Text
from image_recipes.pictures import Listing, OwnPictures, prepare_pictures
from image_recipes.problems import Problem

DELIMITERS = {".tsv": "\t", ".tab": "\t"}
MISSING = {"", "nan", "na", "n/a", "none", "null"}
# what is said to be a class, but has more values than that share of the rows, is a number
MAX_CLASS_SHARE = 0.5
# what a label is, for each task
LABELS: dict[str, Callable[[str], Any]] = {"classification": str, "regression": float}


class Columns(Section):
    """The names of the table's columns; `split` and `group` may be null."""

    picture: Text
    target: Text
    split: Text | None
    group: Text | None


class TableDataset(OwnPictures):
    """Pictures that a table names, with paths relative to the table."""

    source: Literal["table"]
    # its file, in the folder `raw`
    table: Text
    columns: Columns


def prepare_table(settings: TableDataset, folder: Path) -> str | None:
    """Prepare the dataset; arguments and result are those of `prepare_pictures`."""
    listing = list_table(Path(settings.raw) / settings.table, settings.columns, settings.task)
    return prepare_pictures(listing, settings, folder)


def list_table(file: Path, columns: Columns, task: str) -> Listing:
    """List the pictures that a table names; rows that cannot be used become problems.

    Raises:
        UserError: the file cannot be read, a column is missing, or its values do not suit the task.
    """
    table = read_table(file)
    for name in filter(None, columns.model_dump().values()):
        if name not in table.columns:
            raise UserError(
                f"{file}: no column {name!r}: {did_you_mean(name, table.columns)}; it has {', '.join(table.columns)}"
            )
    values = {key: table[name] if name else pd.Series("", table.index) for key, name in columns.model_dump().items()}
    _suits(values["target"], task, columns.target, file)
    rows, problems = [], []
    for line, path, target, split, group in zip(table.index, *values.values(), strict=True):
        found = _bad_path(path) or _bad_label(target, task) or _bad_split(split)
        if found:
            problems.append(Problem(path or f"line {line}", found[0], f"line {line}: {found[1]}"))
        else:
            rows.append((_posix(path), LABELS[task](target), SPLITS.get(split.lower(), ""), group))
    pictures = pd.DataFrame(rows, columns=["path", "label", "split", "group"])
    pictures = pictures.sort_values(["path", "label"], ignore_index=True)
    return Listing(pictures, problems, f"the table {file.name}, column {columns.target}")


def read_table(file: Path) -> pd.DataFrame:
    """Read a table as texts, without spaces around them.

    Args:
        file: separated by tabs if its name ends in .tsv or .tab, else by commas; UTF-8.

    Returns:
        Its columns; the index is the line on which a row ends.

    Raises:
        UserError: it is missing, has no rows or one of another length, or two columns have one name.
    """
    rows, lines = [], []
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=DELIMITERS.get(file.suffix.lower(), ","))
            for row in reader:
                if row:
                    rows.append([value.strip() for value in row])
                    lines.append(reader.line_num)
    except FileNotFoundError:
        raise UserError(f"{file}: not found: give the table's file name") from None
    except UnicodeDecodeError:
        raise UserError(f"{file}: not UTF-8: save it as CSV UTF-8") from None
    except csv.Error as error:
        raise UserError(f"{file}: not a table: {error}") from None
    header, *rows = rows or [[]]
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise UserError(f"{file}: two columns are named {', '.join(map(repr, twice))}: rename one")
    if not rows:
        raise UserError(f"{file}: no rows below its header")
    for row, line in zip(rows, lines[1:], strict=True):
        if len(row) != len(header):
            raise UserError(f"{file}: line {line}: {len(row)} values, but the header has {len(header)} columns")
    return pd.DataFrame(rows, columns=header, index=lines[1:])


def _suits(targets: pd.Series, task: str, column: str, file: Path) -> None:
    known = targets[~targets.str.lower().isin(MISSING)]
    numbers = known[known.map(is_number)]
    example = f"such as {known.iloc[0]!r}" if len(known) else ""
    if task == "regression" and len(numbers) < len(known) / 2:
        raise UserError(
            f"{file}: most values of the column {column!r} are no numbers, {example}: "
            "set task: classification, or name another column"
        )
    if task == "classification" and len(numbers) == len(known) and varies(known):
        raise UserError(
            f"{file}: the column {column!r} holds {known.nunique():,} different numbers in {len(known):,} rows, "
            f"{example}: set task: regression, or name another column"
        )


def varies(values: pd.Series) -> bool:
    """Tell whether values are too different from each other to be classes."""
    return len(values) > 2 and values.nunique() > MAX_CLASS_SHARE * len(values)


def _bad_path(path: str) -> tuple[str, str] | None:
    if not path:
        return "bad path", "no path"
    parts = PurePosixPath(_posix(path))
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or re.match(r"[A-Za-z]:", path):
        return "bad path", "leaves the dataset's folder: give a path relative to the table"
    return None


def _bad_label(target: str, task: str) -> tuple[str, str] | None:
    if target.lower() in MISSING:
        return "bad label", "no label"
    if task == "regression" and not is_number(target):
        return "bad label", f"{target!r} is no number"
    return None


def _bad_split(split: str) -> tuple[str, str] | None:
    if split and split.lower() not in SPLITS:
        return "bad label", f"split {split!r}: give train, validation or test, or leave it empty"
    return None


def _posix(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).as_posix()


def is_number(text: str) -> bool:
    """Tell whether a text is a finite number that float32 can hold."""
    try:
        number = float(text)
    except ValueError:
        return False
    return bool(abs(number) < np.finfo(np.float32).max)
