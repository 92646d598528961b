"""Which columns of a stranger's table say what goes into which split, or stays together in one."""

import re
from collections.abc import Sequence

import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.core.params import SPLIT_NAMES, SplitName
from image_recipes.data.splits import SPLIT_ALIASES
from image_recipes.intake.columns import TableOptions
from image_recipes.intake.split_names import name_splits

SPLIT_COLUMNS = ("split", "set", "subset", "fold", "partition", "phase", "usage")
# each says of one split whether a picture is in it
SPLIT_FLAGS: dict[str, SplitName] = {"is_valid": "validation", "is_val": "validation", "is_test": "test"}
TRUTHS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
GROUP_COLUMN = "group"
# columns that often say what belongs together; they are named, and not used
GROUP_HINTS = re.compile(
    r"patient|subject|person|individual|plant|tree|site|location|camera|video|session|series|batch"
)
EXAMPLES = 3


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
