"""What a stranger's column of labels says: classes or numbers, units, words for a missing label."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, cast

import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, TASKS, Task
from image_recipes.data.labels import MISSING_TEXTS, is_missing, is_number, normalize_label, tell_task
from image_recipes.intake.class_names import show_class
from image_recipes.intake.columns import TableOptions
from image_recipes.intake.numbers import Decimal, are_dates, find_outliers, read_numbers
from image_recipes.intake.one_label import check_one_label

# a word for a missing label that is more frequent than this share of the rows is a class
FREQUENT_SHARE = 0.05
EXAMPLES = 3


class Target(NamedTuple):
    """What a column says: its texts, the task, the number's unit, what says that nothing is known, and lines."""

    texts: pd.Series
    task: Task
    unit: str | None
    missing: list[str]
    lines: list[str]


def read_target(texts: pd.Series, column: str, options: TableOptions, semicolons: bool, where: str) -> Target:
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
        return Target(texts, task, None, missing, lines)
    lines.insert(0, f"target: {column!r}: numbers, such as {_examples(known)}")
    if numbers is None:
        return Target(texts, task, column, missing, lines)
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
    return Target(changed, REGRESSION, f"{column} ({unit})" if unit else column, missing, lines)


def _find_missing(texts: pd.Series, said: Sequence[str] | None, task: Task | None) -> tuple[list[str], list[str]]:
    """Find which words say that there is no label: of the usual ones those that are rare, or for numbers all."""
    if said is not None:
        return list(dict.fromkeys(["", *said])), []
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
