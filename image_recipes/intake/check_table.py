"""What a table that is understood is good for: refused where nothing can be learned, warned of what misleads."""

from collections import Counter
from pathlib import Path

import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.data.labels import LABELS, sort_classes
from image_recipes.intake.class_names import check_classes, table_of_classes
from image_recipes.intake.found import Found
from image_recipes.intake.split_names import split_named

# where a group decides, each split needs some
LEAST_GROUPS = 3


def check_table(found: Found, group: str | None, where: str) -> Found:
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


def find_siblings(file: Path) -> list[str]:
    """Say that a table of one split, such as train/metadata.csv, is not all there is."""
    folder = file.resolve().parent
    if not split_named(folder.name):
        return []
    others = [other for other in folder.parent.glob(f"*/{file.name}") if other.parent != folder]
    if not others:
        return []
    names = ", ".join(f"{other.parent.name}/{other.name}" for other in others)
    return [f"only {folder.name} is read, not {names}: to give all splits, join the tables, with a column split"]
