"""Which columns of a stranger's table are what: picture, target, split, group."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.params import SPLIT_NAMES, SplitName
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.data.splits import SPLIT_ALIASES
from image_recipes.intake.layout import name_splits
from image_recipes.intake.picture_paths import PictureFinder

SPLIT_COLUMNS = ("split", "set", "subset", "fold", "partition", "phase", "usage")
# each says of one split whether a picture is in it
SPLIT_FLAGS: dict[str, SplitName] = {"is_valid": "validation", "is_val": "validation", "is_test": "test"}
GROUP_COLUMN = "group"
# columns that often say what belongs together; they are named, and not used
GROUP_HINTS = re.compile(
    r"patient|subject|person|individual|plant|tree|site|location|camera|video|session|series|batch"
)
# what Label Studio writes beside the label; by the first its exports are known
TOOL_COLUMNS = ("annotation_id", "annotator", "created_at", "id", "lead_time", "updated_at")
TRUTHS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
# two labels in one cell
LABEL_SEPARATORS = (";", "|", ",", " ")
# several such columns of zeros and ones are classes
ONE_HOT_LEAST = 2
EXAMPLES = 3
# a column that names so many pictures of those that the best one names may be meant as well
MIN_RIVAL = 0.5


class TableOptions(NamedTuple):
    """What the command line says of a table.

    Attributes:
        targets: columns of classes or numbers: one.
        picture: the column of paths; None to find it.
        task: by name; None to tell it from the target.
        split: the column of splits; None to find it.
        no_split: there is none.
        group: the column of what belongs together; None to find it.
        no_group: there is none.
        decimal: `point` or `comma`; None to find out.
        encoding: of the file; None to find out.
        missing: texts that say that there is no label; None to find out.
    """

    targets: Sequence[str] = ()
    picture: str | None = None
    task: str | None = None
    split: str | None = None
    no_split: bool = False
    group: str | None = None
    no_group: bool = False
    decimal: str | None = None
    encoding: str | None = None
    missing: Sequence[str] | None = None


def check_columns(options: TableOptions, names: Sequence[str], where: str) -> None:
    """Refuse columns that are not there, or two targets.

    Raises:
        UserError: so it is.
    """
    if len(options.targets) > 1:
        raise UserError(
            f"--target: one column at a time, not {', '.join(options.targets)}: add the table once for each, under "
            "another --name"
        )
    for name in (*options.targets, options.picture, options.split, options.group):
        if name is not None and (not name or name not in names):
            raise UserError(f"{where}: no column {name!r}: {did_you_mean(name, names)}")


def find_picture_column(table: pd.DataFrame, finder: PictureFinder, where: str) -> str:
    """Find the column whose texts name pictures, each another one.

    Raises:
        UserError: there is none, two name different pictures, or the first row does so, where the columns' names
            should be.
    """
    found = {name: finder.find_all(table[name]) for name in table.columns}
    shares = {name: len(set(paths) - {None}) / len(paths) for name, paths in found.items() if paths}
    best = max(shares, key=lambda name: shares[name], default=None)
    if best is None or not shares[best]:
        raise UserError(
            f"{where}: in no column are there names of pictures that lie below {finder.root}: name one by --picture, "
            "or move the table to the pictures"
        )
    if finder.find(best):
        raise UserError(f"{where}: the first row names a picture, {best}: put the columns' names above it")
    rivals = [
        name for name in shares if shares[name] > MIN_RIVAL * shares[best] and not _agree(found[name], found[best])
    ]
    if rivals:
        raise UserError(f"{where}: {', '.join([best, *rivals])} all name pictures: name the right one by --picture")
    return best


def _agree(paths: Sequence[str | None], others: Sequence[str | None]) -> bool:
    """Tell whether two columns name the same pictures, where both name one."""
    return all(path == other for path, other in zip(paths, others, strict=True) if path and other)


def find_target(table: pd.DataFrame, others: Sequence[str], where: str) -> str:
    """Find the column of classes or numbers, where nobody names it.

    Args:
        table: its columns.
        others: those that are something else.
        where: the table, for errors.

    Raises:
        UserError: several can be meant.
    """
    left = [name for name in table.columns if name not in others and name and table[name].nunique() > 1]
    if TOOL_COLUMNS[0] in table.columns:
        left = [name for name in left if name not in TOOL_COLUMNS] or left
    if len(left) != 1:
        known = left or [name for name in table.columns if name not in others]
        raise UserError(f"{where}: --target must name the column of classes or numbers: {', '.join(known) or 'none'}")
    return left[0]


def find_one_hot(table: pd.DataFrame, others: Sequence[str]) -> list[str]:
    """Find columns of zeros and ones, a class each; none if the table has other columns too."""
    left = [name for name in table.columns if name not in others and name]
    hot = [name for name in left if set(table[name]) <= {"0", "1", "0.0", "1.0"}]
    return hot if len(hot) >= ONE_HOT_LEAST and len(hot) == len(left) else []


def read_one_hot(table: pd.DataFrame, columns: Sequence[str], where: str) -> pd.Series:
    """Make one column of classes of columns of zeros and ones.

    Raises:
        UserError: a picture has two classes.
    """
    hot = table[list(columns)].astype(float) > 0
    count = hot.sum(axis=1)
    if (count > 1).any():
        line = count.index[count > 1][0]
        raise UserError(
            f"{where}: line {line}: {', '.join(hot.columns[hot.loc[line]])}: several classes of one picture: this is "
            "multi-label, which is not supported: name one of the columns by --target, to learn yes or no"
        )
    return hot.idxmax(axis=1).where(count == 1, "")


def check_one_label(texts: pd.Series, where: str, column: str) -> None:
    """Refuse cells that hold several labels.

    Raises:
        UserError: so it is.
    """
    cells = texts.unique()
    for separator in LABEL_SEPARATORS:
        parts = {cell: [part.strip() for part in cell.split(separator) if part.strip()] for cell in cells}
        several = [cell for cell, labels in parts.items() if len(labels) > 1]
        used = Counter(label for labels in parts.values() for label in set(labels))
        recurring = sum(count > 1 for count in used.values())
        sizes = {len(labels) for labels in parts.values()}
        # labels recur in other company; of words between blanks much more is asked, since names have several
        if separator == " ":
            found = len(sizes) > 2 and len(cells) > 2 * len(used) and recurring >= 0.8 * len(used)
        else:
            found = len(several) > 1 and len(sizes) > 1 and len(used) < len(cells) and recurring >= 0.5 * len(used)
        if found:
            raise UserError(
                f"{where}: {column!r} holds several labels in one cell, such as {several[0]!r}: this is multi-label, "
                f"which is not supported: give one label for each picture, or say --task {CLASSIFICATION.name} if a "
                "cell is one class"
            )


def join_flags(table: pd.DataFrame) -> list[str]:
    """Make one column `split` of columns such as is_valid and is_test, where there is none; return which.

    Raises:
        UserError: a picture is in two splits.
    """
    flags = [name for name in table.columns if name.lower() in SPLIT_FLAGS and _are_truths(table[name])]
    if not flags or any(name.lower() in SPLIT_COLUMNS for name in table.columns):
        return []
    marked = pd.DataFrame({name: table[name].str.lower().map(TRUTHS).fillna(False).astype(bool) for name in flags})
    if (marked.sum(axis=1) > 1).any():
        line = marked.index[marked.sum(axis=1) > 1][0]
        raise UserError(f"line {line}: {' and '.join(flags)} are both true: a picture is in one split")
    splits = marked.idxmax(axis=1).map(lambda name: SPLIT_FLAGS[name.lower()])
    table["split"] = splits.where(marked.any(axis=1), "train")
    return flags


def _are_truths(texts: pd.Series) -> bool:
    return {text.lower() for text in texts.unique() if text} <= TRUTHS.keys()


def find_split(table: pd.DataFrame, options: TableOptions, where: str) -> tuple[str | None, dict[str, str]]:
    """Find the column of splits, and what its texts stand for.

    Raises:
        UserError: it holds something else.
    """
    if options.no_split:
        return None, {}
    asked = options.split or next((name for name in table.columns if name.lower() == "split"), None)
    for name in [asked] if asked else [name for name in table.columns if name.lower() in SPLIT_COLUMNS]:
        texts = [text for text in table[name].unique() if text]
        named = {text: SPLIT_ALIASES[text.lower()] for text in texts if text.lower() in SPLIT_ALIASES} | name_splits(
            texts
        )
        if texts and len(named) == len(texts):
            return name, dict(named)
        if asked:
            raise UserError(
                f"{where}: the column {name!r} holds {', '.join(map(repr, texts[:EXAMPLES]))}, which are no splits "
                f"({', '.join(SPLIT_NAMES)}): rename them, or leave it out by --no-split"
            )
    return None, {}


def find_group(table: pd.DataFrame, options: TableOptions, others: Sequence[str]) -> tuple[str | None, list[str]]:
    """Find the column of what belongs together, and say so."""
    if options.no_group:
        return None, []
    name = options.group or next((name for name in table.columns if name.lower() == GROUP_COLUMN), None)
    if name:
        count = table[name][table[name] != ""].nunique()
        return name, [f"group: {name}, {count:,} of them, each kept in one split (else: --no-group)"]
    for name in table.columns:
        texts = table[name][table[name] != ""]
        if name not in others and GROUP_HINTS.search(name.lower()) and 1 < texts.nunique() < len(texts):
            return None, [
                f"if pictures with the same {name!r} belong together, keep them in one split by --group {name}"
            ]
    return None, []
