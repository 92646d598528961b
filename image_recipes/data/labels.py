"""Labels: what they are for each task, as texts of a table, as targets to learn, and in words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task

MISSING_TEXTS = {"", "nan", "na", "n/a", "none", "null"}
# a column with more different numbers than this share of its rows holds numbers, not classes
MAX_CLASS_SHARE = 0.5
# no more different numbers than that are taken for classes, where nobody says what they are
MAX_CLASSES_OF_NUMBERS = 20
CLASSES_SHOWN = 10
# the share of different numbers that must still differ as float32
MIN_TOLD_APART = 0.99


class LabelsOfTask(NamedTuple):
    """What labels are for a task.

    Attributes:
        from_text: makes a label of a text.
        refuse_text: says why a text is no label; None if it is one.
        refuse_column: says why a column's texts, none missing, are not meant for this task, from
            the texts and the column's name; None if they are.
        to_targets: makes int64 class numbers and the classes' names, or float32 and None, of labels.
        to_strata: makes int64 (N,) of targets: pictures of one stratum are divided in the same proportions.
        describe: says in a line what labels there are.
        guess_unit: makes the unit of the number of a column's name.
    """

    from_text: Callable[[str], Any]
    refuse_text: Callable[[str], str | None]
    refuse_column: Callable[[pd.Series, str], str | None]
    to_targets: Callable[[pd.Series], tuple[np.ndarray, list[str] | None]]
    to_strata: Callable[[np.ndarray], np.ndarray]
    describe: Callable[[pd.Series], str]
    guess_unit: Callable[[str], str | None]


def normalize_label(text: str) -> str:
    """Bring a class's name into one Unicode form: macOS writes accents and Hangul in parts, other systems as one."""
    return unicodedata.normalize("NFC", text)


def is_missing(texts: pd.Series, words: Collection[str] = MISSING_TEXTS) -> pd.Series:
    """Tell which texts say that there is no label: those that are one of the words, in any case."""
    return texts.str.lower().isin({word.lower() for word in words})


def sort_classes(names: Iterable[str]) -> list[str]:
    """Sort classes as people do: numbers by their value, and before other names.

    >>> sort_classes(["10", "grade 10", "2", "grade 2"])
    ['2', '10', 'grade 2', 'grade 10']
    """

    def key(name: str) -> tuple[bool, float, list[tuple[int, str]], str]:
        # of digits, which stand at odd places, the longer ones are the larger number
        pieces = [piece.lstrip("0") if place % 2 else piece for place, piece in enumerate(re.split(r"([0-9]+)", name))]
        lengths = [(len(piece) if place % 2 else 0, piece) for place, piece in enumerate(pieces)]
        return not is_number(name), float(name) if is_number(name) else 0.0, lengths, name

    return sorted(set(names), key=key)


def is_number(text: str) -> bool:
    """Tell whether a text is a finite number that float32 can hold.

    >>> [is_number(text) for text in ("1e3", "many", "inf", "1e39")]
    [True, False, False, False]
    """
    try:
        number = float(text)
    except ValueError:
        return False
    if "_" in text:  # 1_000, for Python alone
        return False
    return bool(abs(number) < float(np.finfo(np.float32).max))


def tell_task(texts: pd.Series) -> Task:
    """Tell from a column's texts what they are for: many different numbers are no classes.

    >>> tell_task(pd.Series(["1.5", "2", "3.7", "4"])).name
    'regression'
    """
    known = texts[~is_missing(texts)]
    numbers = len(known) > 0 and known.map(is_number).mean() > 0.5
    many = known.nunique() > MAX_CLASSES_OF_NUMBERS or _varies(known)
    return REGRESSION if numbers and many else CLASSIFICATION


def _varies(texts: pd.Series) -> bool:
    return len(texts) > 2 and texts.nunique() > MAX_CLASS_SHARE * len(texts)


def _refuse_classes(texts: pd.Series, column: str) -> str | None:
    if not texts.map(is_number).all() or not _varies(texts):
        return None
    return (
        f"the column {column!r} holds {texts.nunique():,} different numbers in {len(texts):,} rows, "
        f"such as {texts.iloc[0]!r}: set task: {REGRESSION.name}, or name another column"
    )


def _refuse_numbers(texts: pd.Series, column: str) -> str | None:
    if not len(texts) or texts.map(is_number).mean() >= 0.5:
        return _refuse_precision(texts[texts.map(is_number)].astype(float), column)
    return (
        f"most values of the column {column!r} are no numbers, such as {texts.iloc[0]!r}: "
        f"set task: {CLASSIFICATION.name}, or name another column"
    )


def _refuse_precision(numbers: pd.Series, column: str) -> str | None:
    """Say so if numbers that differ become equal as float32, in which models count."""
    if numbers.astype(np.float32).nunique() >= MIN_TOLD_APART * numbers.nunique():
        return None
    center = float(f"{numbers.min():.3g}")
    return (
        f"the column {column!r} holds {numbers.nunique():,} different numbers, such as {numbers.iloc[0]:.16g}, of "
        f"which float32 tells only {numbers.astype(np.float32).nunique():,} apart: subtract {center:.16g} from all of "
        "them, or scale them"
    )


def _class_targets(labels: pd.Series) -> tuple[np.ndarray, list[str] | None]:
    classes = sort_classes(labels)
    numbers = {name: number for number, name in enumerate(classes)}
    return labels.map(numbers).to_numpy(np.int64), classes


def _describe_classes(labels: pd.Series) -> str:
    counts = Counter(labels)
    shown = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(CLASSES_SHOWN))
    return f"{len(counts):,} classes: {shown}{', ...' if len(counts) > CLASSES_SHOWN else ''}"


LABELS: dict[Task, LabelsOfTask] = {
    CLASSIFICATION: LabelsOfTask(
        from_text=normalize_label,
        refuse_text=lambda text: None,
        refuse_column=_refuse_classes,
        to_targets=_class_targets,
        to_strata=lambda targets: targets,
        describe=_describe_classes,
        guess_unit=lambda column: None,
    ),
    REGRESSION: LabelsOfTask(
        from_text=float,
        refuse_text=lambda text: None if is_number(text) else f"{text!r} is no number",
        refuse_column=_refuse_numbers,
        to_targets=lambda labels: (labels.to_numpy(np.float32), None),
        to_strata=lambda targets: np.zeros(len(targets), np.int64),
        describe=lambda labels: f"numbers from {labels.min():g} to {labels.max():g}, {labels.mean():g} on average",
        guess_unit=lambda column: column,
    ),
}
