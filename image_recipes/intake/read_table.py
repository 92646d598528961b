"""Understanding a table that names pictures."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import pandas as pd

from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, TASKS, Task
from image_recipes.data.labels import (
    LABELS,
    MISSING_TEXTS,
    is_missing,
    is_number,
    normalize_label,
    sort_classes,
    tell_task,
)
from image_recipes.data.problems import Problem
from image_recipes.data.table import Columns, list_frame
from image_recipes.intake.class_names import check_classes, merge_classes, show_class, table_of_classes
from image_recipes.intake.columns import (
    TableOptions,
    check_columns,
    check_one_label,
    find_group,
    find_one_hot,
    find_picture_column,
    find_split,
    find_target,
    join_flags,
    read_one_hot,
)
from image_recipes.intake.found import Found, TableCopy
from image_recipes.intake.layout import split_named
from image_recipes.intake.numbers import Decimal, are_dates, find_outliers, read_numbers
from image_recipes.intake.picture_paths import Match, PictureFinder, describe_matches
from image_recipes.intake.table_file import read_raw_table

# a word for a missing label that is more frequent than this share of the rows is a class
FREQUENT_SHARE = 0.05
# where a group decides, each split needs some
LEAST_GROUPS = 3
EXAMPLES = 3
ONE_HOT_COLUMN = "class"


class _Target(NamedTuple):
    """What a column says: its texts, the task, the number's unit, what says that nothing is known, and lines."""

    texts: pd.Series
    task: Task
    unit: str | None
    missing: list[str]
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
    raw = read_raw_table(file, options.encoding)
    table, where = raw.frame.copy(), str(file)
    check_columns(options, list(table.columns), where)
    finder = _find_root(file, table, options)
    picture = options.picture or find_picture_column(table, finder, where)
    other_tables = _find_siblings(file)
    flags = [] if options.no_split or options.split else join_flags(table)
    split, named = find_split(table, options, where)
    if {"validation", "test"} <= set(named.values()) and "train" not in named.values():
        # the others are to learn from
        named[""] = "train"
    group, group_lines = find_group(table, options, [picture, *options.targets])
    others = [name for name in (picture, split, group, *flags) if name]
    if not options.targets and (hot := find_one_hot(table, others)):
        table[ONE_HOT_COLUMN] = read_one_hot(table, hot, where)
        column, said = ONE_HOT_COLUMN, [f"target: the class whose column holds 1: {', '.join(hot)}"]
    else:
        column = options.targets[0] if options.targets else find_target(table, others, where)
        said = []
    target = _read_target(table[column], column, options, raw.separator == ";", where)
    table[column] = target.texts
    paths = _find_paths(table, picture, finder)
    if split:
        table[split] = table[split].map(named).fillna("")
    columns = Columns(picture=picture, target=column, split=split, group=group)
    listing = list_frame(table, file, columns, target.task, target.missing)
    if not len(listing.pictures):
        first = listing.problems[0]
        raise UserError(f"{file}: no row can be used, such as {first.path} ({first.detail})")
    listing = listing._replace(problems=listing.problems + _missing_files(table[picture], finder.root))
    names = ", ".join(f"{kind} {name!r}" for kind, name in columns.model_dump().items() if name and kind != "group")
    lines = [
        *raw.lines,
        *other_tables,
        f"columns: {names}",
        *said,
        *([f"split: by {', '.join(flags)}"] if flags else []),
        *group_lines,
        *paths,
        *target.lines,
    ]
    renamed = {}
    if target.task is CLASSIFICATION:
        renamed = merge_classes(listing.pictures["label"], where, merge)
        lines += [f"class {show_class(name)} is counted as {show_class(other)}" for name, other in renamed.items()]
    same = raw.is_plain and table.equals(raw.frame)
    copy = TableCopy(
        file=file,
        name=file.name if same else f"{file.stem}.csv",
        text=None if same else table.to_csv(index=False, lineterminator="\n"),
        columns=columns,
        missing=target.missing,
    )
    sources = {path: finder.root / path for path in dict.fromkeys(listing.pictures["path"])}
    found = Found(listing, sources, target.task, target.unit, None, copy, renamed, lines)
    return _check(found, group, where)


def _check(found: Found, group: str | None, where: str) -> Found:
    """Refuse what nothing can be learned from, and say what the labels are."""
    pictures, lines = found.pictures, list(found.lines)
    lines += _describe_repeats(pictures, where)
    if group:
        lines += _describe_group_leaks(pictures)
    if found.task is CLASSIFICATION:
        check_classes(pictures, where)
        lines += table_of_classes(pictures, sort_classes(pictures["label"]))
    else:
        lines.append(LABELS[found.task].describe(pictures["label"]))
        if pictures["label"].nunique() == 1:
            raise UserError(f"{where}: all numbers are {pictures['label'].iloc[0]:g}: there is nothing to learn")
        counts = Counter(pictures["split"])
        if set(counts) != {""}:
            lines.append("splits: " + ", ".join(f"{name or 'not given'} {count:,}" for name, count in counts.items()))
    free = pictures[pictures["split"] == ""]
    groups = free["group"][free["group"] != ""].nunique() + int((free["group"] == "").sum())
    if group and len(free) and not (pictures["split"] != "").any() and groups < LEAST_GROUPS:
        raise UserError(
            f"{where}: the column {group!r} makes {groups} groups, each of which is kept in one split: too few for "
            f"training, validation and test: name another by --group, or --no-group"
        )
    return found._replace(lines=lines)


def _describe_repeats(pictures: pd.DataFrame, where: str) -> list[str]:
    """Say which pictures stand in several rows.

    Raises:
        UserError: most do, with other labels.
    """
    counts = pictures.groupby("path")["label"].agg(["size", "nunique"])
    several = counts[counts["size"] > 1]
    other = several[several["nunique"] > 1]
    if len(other) > len(counts) / 2:
        raise UserError(
            f"{where}: {len(other):,} of {len(counts):,} pictures stand in several rows with different labels, such as "
            f"{other.index[0]}: give one row for each picture"
        )
    if not len(several):
        return []
    note = f", {len(other):,} of them with different labels, which the run refuses" if len(other) else ""
    what = "picture stands" if len(several) == 1 else "pictures stand"
    return [f"{len(several):,} {what} in several rows, such as {several.index[0]}{note}"]


def _describe_group_leaks(pictures: pd.DataFrame) -> list[str]:
    """Say which groups lie in several given splits."""
    given = pictures[(pictures["split"] != "") & (pictures["group"] != "")]
    splits = given.groupby("group")["split"].nunique()
    leaking = splits[splits > 1]
    if not len(leaking):
        return []
    return [f"leak: {len(leaking):,} groups lie in several given splits, such as {leaking.index[0]}"]


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


def _find_siblings(file: Path) -> list[str]:
    """Say that a table of one split, such as train/metadata.csv, is not all there is."""
    folder = file.resolve().parent
    if not split_named(folder.name):
        return []
    others = [other for other in folder.parent.glob(f"*/{file.name}") if other.parent != folder]
    if not others:
        return []
    names = ", ".join(f"{other.parent.name}/{other.name}" for other in others)
    return [f"only {folder.name} is read, not {names}: to give all splits, join the tables, with a column split"]


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


def _read_target(texts: pd.Series, column: str, options: TableOptions, semicolons: bool, where: str) -> _Target:
    """Understand the column to predict."""
    wanted = TASKS[options.task] if options.task else None
    missing, lines = _find_missing(texts, options.missing, wanted)
    known = texts[~is_missing(texts, missing)]
    if not len(known):
        raise UserError(f"{where}: the column {column!r} holds no label")
    if wanted is not CLASSIFICATION and are_dates(known):
        raise UserError(
            f"{where}: the column {column!r} holds dates or times, such as {known.iloc[0]!r}: make a number of them, "
            f"such as days since the first, or say --task {CLASSIFICATION.name}"
        )
    numbers = None
    if wanted is not CLASSIFICATION:
        numbers = read_numbers(known, f"{where}: {column}", cast(Decimal | None, options.decimal), semicolons)
    task = wanted or (tell_task(numbers.texts) if numbers else CLASSIFICATION)
    if task is CLASSIFICATION:
        if wanted is None:
            check_one_label(known, where, column)
        note = ", few different numbers (else: --task regression)" if numbers and wanted is None else ""
        lines.insert(0, f"target: {column!r}: classes{note}, such as {_examples(known)}")
        return _Target(texts, task, None, missing, lines)
    lines.insert(0, f"target: {column!r}: numbers, such as {_examples(known)}")
    if numbers is None:
        return _Target(texts, task, column, missing, lines)
    if len(numbers.units) > 1:
        units = ", ".join(unit or "none" for unit in numbers.units)
        raise UserError(
            f"{where}: the column {column!r} has several units: {units}: write all in the same one, or say "
            f"--task {CLASSIFICATION.name} if these are classes"
        )
    unit = numbers.units[0]
    lines += [*numbers.lines, *([f"unit: {unit}"] if unit else [])]
    usable = numbers.texts[numbers.texts.map(is_number)].astype(float)
    lines += find_outliers(usable)
    changed = texts.copy()
    changed[numbers.texts.index] = numbers.texts
    return _Target(changed, REGRESSION, f"{column} ({unit})" if unit else column, missing, lines)


def _find_missing(texts: pd.Series, said: Sequence[str] | None, task: Task | None) -> tuple[list[str], list[str]]:
    """Find which words say that there is no label: of the usual ones those that are rare, or for numbers all."""
    if said is not None:
        return ["", *said], []
    words = texts[is_missing(texts) & (texts != "")]
    others = texts[~is_missing(texts)]
    if task is REGRESSION or (task is None and tell_task(others) is REGRESSION) or _are_numbers(others):
        return sorted(MISSING_TEXTS), []
    counts = Counter(words)
    classes = {word for word, count in counts.items() if count >= FREQUENT_SHARE * len(texts)}
    folded = {word.lower() for word in classes}
    missing = sorted(word for word in MISSING_TEXTS if word not in folded)
    lines = []
    if classes:
        shown = ", ".join(f"{word!r} ({counts[word]:,})" for word in sorted(classes))
        options = " ".join(f"--missing {word}" for word in sorted(classes))
        lines.append(f"{shown}: taken as classes, since frequent (else: {options})")
    rare = {word: count for word, count in counts.items() if word.lower() not in folded}
    if rare:
        shown = ", ".join(f"{word!r} ({count:,})" for word, count in sorted(rare.items()))
        lines.append(f"{shown}: taken as missing labels (else: --missing '')")
    return missing, lines


def _are_numbers(texts: pd.Series) -> bool:
    """Tell whether a column with a word for missing here and there holds numbers, however written."""
    return bool(len(texts)) and texts.str.contains(r"^\W*\d", regex=True).mean() > 0.5 and texts.nunique() > 20


def _examples(texts: pd.Series) -> str:
    return ", ".join(show_class(text) for text in texts.map(normalize_label).drop_duplicates().head(EXAMPLES))
