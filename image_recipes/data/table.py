"""The source `table`: a CSV or TSV file that names pictures, and a class or a number for each."""

import csv
import re
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import pandas as pd

from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.params import Section, Text
from image_recipes.core.tasks import TASKS, Task
from image_recipes.data.labels import LABELS, MISSING_TEXTS, LabelsOfTask, is_missing
from image_recipes.data.own_pictures import Listing, OwnPictures
from image_recipes.data.problems import Problem
from image_recipes.data.splits import SPLIT_ALIASES

DELIMITERS = {".tsv": "\t", ".tab": "\t"}


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
    # texts that say that there is no label, in any case
    missing: list[str] | None = None


def list_rows(settings: TableDataset) -> Listing:
    """List the pictures of a dataset's table; errors are those of `list_table`."""
    file = Path(settings.raw) / settings.table
    missing = MISSING_TEXTS if settings.missing is None else set(settings.missing)
    return settings.rename(list_table(file, settings.columns, TASKS[settings.task], missing))


def list_table(file: Path, columns: Columns, task: Task, missing_texts: Collection[str] = MISSING_TEXTS) -> Listing:
    """List the pictures that a table names; rows that cannot be used become problems.

    Args:
        file: the table.
        columns: which of them are what.
        task: what is to be predicted.
        missing_texts: that say that there is no label, in any case.

    Raises:
        UserError: the file cannot be read, a column is missing, or its values do not suit the task.
    """
    return list_frame(read_table(file), file, columns, task, missing_texts)


def list_frame(
    table: pd.DataFrame, file: Path, columns: Columns, task: Task, missing_texts: Collection[str]
) -> Listing:
    """List the pictures that a table names, which has been read; else as `list_table`."""
    for name in filter(None, columns.model_dump().values()):
        if name not in table.columns:
            raise UserError(
                f"{file}: no column {name!r}: {did_you_mean(name, table.columns)}; it has {', '.join(table.columns)}"
            )
    values = {key: table[name] if name else pd.Series("", table.index) for key, name in columns.model_dump().items()}
    targets, labels = values["target"], LABELS[task]
    missing = is_missing(targets, missing_texts)
    if refusal := labels.refuse_column(targets[~missing], columns.target):
        raise UserError(f"{file}: {refusal}")
    rows, problems = [], []
    for line, no_label, path, target, split, group in zip(table.index, missing, *values.values(), strict=True):
        found = _bad_path(path) or _bad_label(target, no_label, labels) or _bad_split(split)
        if found:
            problems.append(Problem(path or f"line {line}", found[0], f"line {line}: {found[1]}"))
        else:
            rows.append((_posix(path), labels.from_text(target), SPLIT_ALIASES.get(split.lower(), ""), group))
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
    check_header(file, header, bool(rows))
    for row, line in zip(rows, lines[1:], strict=True):
        if len(row) != len(header):
            raise UserError(f"{file}: line {line}: {len(row)} values, but the header has {len(header)} columns")
    return pd.DataFrame(rows, columns=header, index=lines[1:])


def check_header(file: Path, header: Sequence[str], has_rows: bool) -> None:
    """Refuse a table whose columns cannot be told apart, or that has no rows.

    Raises:
        UserError: so it is.
    """
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise UserError(f"{file}: two columns are named {', '.join(map(repr, twice))}: rename one")
    if not has_rows:
        raise UserError(f"{file}: no rows below its header")


def _bad_path(path: str) -> tuple[str, str] | None:
    if not path:
        return "bad path", "no path"
    parts = PurePosixPath(_posix(path))
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or re.match(r"[A-Za-z]:", path):
        return "bad path", "leaves the dataset's folder: give a path relative to the table"
    return None


def _bad_label(target: str, missing: bool, labels: LabelsOfTask) -> tuple[str, str] | None:
    refusal = "no label" if missing else labels.refuse_text(target)
    return ("bad label", refusal) if refusal else None


def _bad_split(split: str) -> tuple[str, str] | None:
    if split and split.lower() not in SPLIT_ALIASES:
        return "bad label", f"split {split!r}: give train, validation or test, or leave it empty"
    return None


def _posix(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).as_posix()
