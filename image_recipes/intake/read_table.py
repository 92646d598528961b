"""Understanding a table that names pictures."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.tasks import CLASSIFICATION, TASKS
from image_recipes.data.problems import Problem
from image_recipes.data.table import Columns, list_frame
from image_recipes.intake.check_table import check_table, find_siblings
from image_recipes.intake.class_names import merge_classes, show_class
from image_recipes.intake.columns import TableOptions, check_columns, find_picture_column, find_target
from image_recipes.intake.found import Found, TableCopy
from image_recipes.intake.one_label import find_one_hot, read_one_hot
from image_recipes.intake.picture_paths import Match, PictureFinder, describe_matches
from image_recipes.intake.split_columns import find_group, find_split, join_flags
from image_recipes.intake.table_file import RawTable, read_raw_table
from image_recipes.intake.target import read_target

# of rows by which the pictures' folder is found
EXAMPLES = 3
ONE_HOT_COLUMN = "class"


class _Chosen(NamedTuple):
    """The columns that a table is read by, and what is said of them."""

    columns: Columns
    lines: list[str]


def read_table(file: Path, options: TableOptions, merge: bool | None) -> Found:
    """Understand a table that names pictures.

    Args:
        file: the table.
        options: of the command line.
        merge: whether classes that differ by case or blanks alone are the same; None to ask.

    Raises:
        UserError: it cannot be understood, or nothing can be learned from it.
    """
    if options.task is not None and options.task not in TASKS:
        raise UserError(f"--task: no task {options.task!r}: {did_you_mean(options.task, TASKS)}")
    if options.decimal not in (None, "point", "comma"):
        raise UserError(f"--decimal: give point or comma, not {options.decimal!r}")
    raw, where = read_raw_table(file, options.encoding), str(file)
    table = raw.frame.copy()
    finder = _find_root(file, table, options)
    columns, said = _choose_columns(table, finder, options, where)
    target = read_target(table[columns.target], columns.target, options, raw.separator == ";", where)
    table[columns.target] = target.texts
    paths = _find_paths(table, columns.picture, finder)
    listing = list_frame(table, file, columns, target.task, target.missing)
    if not len(listing.pictures):
        first = listing.problems[0]
        raise UserError(f"{file}: no row can be used, such as {first.path} ({first.detail})")
    listing = listing._replace(problems=listing.problems + _missing_files(table[columns.picture], finder.root))
    lines = [*raw.lines, *find_siblings(file), *said, *paths, *target.lines]
    renamed = merge_classes(listing.pictures["label"], where, merge) if target.task is CLASSIFICATION else {}
    lines += [f"class {show_class(name)} is counted as {show_class(other)}" for name, other in renamed.items()]
    name, text = _name_copy(file, raw, table)
    copy = TableCopy(name, file, text, columns, target.missing)
    sources = {path: finder.root / path for path in dict.fromkeys(listing.pictures["path"])}
    found = Found(listing, sources, target.task, target.unit, None, copy, renamed, lines)
    return check_table(found, columns.group, where)


def _choose_columns(table: pd.DataFrame, finder: PictureFinder, options: TableOptions, where: str) -> _Chosen:
    """Find out which columns are what; splits get their usual names, and what is told by several columns one."""
    check_columns(options, list(table.columns), where)
    picture = options.picture or find_picture_column(table, finder, where)
    flags = [] if options.no_split or options.split else join_flags(table)
    split, named = find_split(table, options, where)
    if {"validation", "test"} <= set(named.values()) and "train" not in named.values():
        # the others are to learn from
        named[""] = "train"
    group, group_lines = find_group(table, options, [picture, *options.targets])
    others = [name for name in (picture, split, group, *flags) if name]
    said = [f"split: by {', '.join(flags)}"] if flags else []
    if not options.targets and (hot := find_one_hot(table, others)):
        table[ONE_HOT_COLUMN] = read_one_hot(table, hot, where)
        target = ONE_HOT_COLUMN
        said.append(f"target: the class whose column holds 1: {', '.join(hot)}")
    else:
        target = options.targets[0] if options.targets else find_target(table, others, where)
    if split:
        table[split] = table[split].map(named).fillna("")
    columns = Columns(picture=picture, target=target, split=split, group=group)
    names = ", ".join(f"{kind} {name!r}" for kind, name in columns.model_dump().items() if name and kind != "group")
    return _Chosen(columns, [f"columns: {names}", *said, *group_lines])


def _name_copy(file: Path, raw: RawTable, table: pd.DataFrame) -> tuple[str, str | None]:
    """Return the name of the table in data/raw, and its content, unless the file itself says the same."""
    if raw.is_plain and table.equals(raw.frame):
        return file.name, None
    return f"{file.stem}.csv", table.to_csv(index=False, lineterminator="\n")


def _find_root(file: Path, table: pd.DataFrame, options: TableOptions) -> PictureFinder:
    """Find the folder in which the pictures lie: the table's own, or the one above."""
    beside = PictureFinder(file.parent)
    columns = [options.picture] if options.picture else list(table.columns)
    if any(beside.find(text) for name in columns for text in table[name].head(EXAMPLES)) or beside.has_pictures:
        return beside
    # of many files that have nothing to do with it, perhaps: their names must do
    parent = file.resolve().parent.parent
    if parent in (Path.home(), Path(parent.anchor)):
        return beside
    above = PictureFinder(parent, by_content=False)
    try:
        return above if above.has_pictures else beside
    except UserError:  # a folder that has nothing to do with it cannot be read
        return beside


def _find_paths(table: pd.DataFrame, column: str, finder: PictureFinder) -> list[str]:
    """Put the pictures' paths below the root into a table; return lines on how they were found."""
    matches: dict[str, Match] = {}
    for text in table[column].unique():
        if match := finder.find(text):
            matches[text] = match
    table[column] = [matches[text].path if text in matches else text for text in table[column]]
    return describe_matches(matches)


def _missing_files(paths: pd.Series, root: Path) -> list[Problem]:
    return [
        Problem(path, "bad picture", f"line {line}: no such file in {root}")
        for line, path in paths.items()
        if path and not _is_file(root / path)
    ]


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero in it
        return False
