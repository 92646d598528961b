"""Classes of a stranger's pictures: those that differ by case or blanks alone, and those that cannot be learned."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.core.params import SPLIT_NAMES
from image_recipes.data.problems import FEW_PICTURES
from image_recipes.intake.choice import choose
from image_recipes.results.names import shorten, show_name

# in the table of classes and splits
CLASSES_SHOWN = 20
# of longer lists
FEW_SHOWN = 5
NAME_CELLS = 40


def merge_classes(labels: Iterable[str], where: str, same: bool | None) -> dict[str, str]:
    """Find classes whose names differ by case or blanks alone, and ask whether they are one.

    Args:
        labels: of all pictures.
        where: they stand, for a question.
        same: the command line's answer, if it has one.

    Returns:
        For each class that is to be renamed, the most frequent name of the same class.

    Raises:
        UserError: it is not clear, and nobody is there to ask.
    """
    counts = Counter(labels)
    alike = defaultdict(list)
    for name in counts:
        alike[" ".join(unicodedata.normalize("NFKC", name).casefold().split())].append(name)
    groups = [sorted(names, key=lambda name: (-counts[name], name)) for names in alike.values() if len(names) > 1]
    if not groups:
        return {}
    if same is None:
        shown = "; ".join(", ".join(f"{name!r} ({counts[name]:,})" for name in names) for names in groups[:3])
        chosen = choose(
            f"{where}: classes that differ by case or blanks alone: {shown}",
            {"--merge-classes": "they are the same", "--keep-classes": "each is a class of its own"},
        )
        same = chosen == "--merge-classes"
    return {name: names[0] for names in groups for name in names[1:]} if same else {}


def check_classes(pictures: pd.DataFrame, where: str) -> None:
    """Refuse classes of which nothing can be learned.

    Args:
        pictures: columns label (a class's name) and split (a SplitName, or empty).
        where: they come from.

    Raises:
        UserError: there is one class only, no two pictures share one, or one has no training picture.
    """
    counts = pictures["label"].value_counts()
    if len(counts) == 1:
        raise UserError(
            f"{where}: one class only, {counts.index[0]!r}: there is nothing to tell apart: give the folder above, "
            "with a folder for each class"
        )
    if counts.max() == 1:
        raise UserError(
            f"{where}: {len(counts):,} pictures, each of a class of its own: there is nothing to learn from: "
            "give more pictures of each class, or another column of the table"
        )
    given = set(pictures["split"]) - {""}
    if "train" in given and not (pictures["split"] == "").any():
        learned = set(pictures["label"][pictures["split"] == "train"])
        unseen = pictures[~pictures["label"].isin(learned)]
        if len(unseen):
            name, split = unseen["label"].iloc[0], unseen["split"].iloc[0]
            more = unseen["label"].nunique() - 1
            raise UserError(
                f"{where}: {name!r}{f' and {more:,} more classes' if more else ''}: pictures in {split}, but none in "
                "train: it cannot be learned: add training pictures of it, or take it out"
            )


def table_of_classes(pictures: pd.DataFrame, classes: list[str]) -> list[str]:
    """Say how many pictures each class has in each split.

    Args:
        pictures: columns label and split.
        classes: in the order in which they are shown.

    Returns:
        Lines of a table, or one line if no split is given.
    """
    counts = Counter(zip(pictures["label"], pictures["split"], strict=True))
    totals = Counter(pictures["split"])
    splits = [name for name in ("", *SPLIT_NAMES) if name in totals]
    rare = _describe_rare(Counter(pictures["label"]), classes)
    if splits == [""]:
        names = classes if len(classes) <= CLASSES_SHOWN else classes[:FEW_SHOWN]
        shown = ", ".join(f"{show_class(name)} {counts[name, '']:,}" for name in names)
        return [f"{len(classes):,} classes: {shown}{', ...' if len(names) < len(classes) else ''}", *rare]
    width = max(len("class"), *(len(show_class(name)) for name in classes[:CLASSES_SHOWN]))
    heads = [name or "not given" for name in splits]
    lines = [f"{len(classes):,} classes:", f"  {'class':<{width}}" + "".join(f"{head:>12}" for head in heads)]
    for name in classes[:CLASSES_SHOWN]:
        cells = "".join(f"{counts[name, split]:>12,}" for split in splits)
        lines.append(f"  {show_class(name):<{width}}{cells}")
    if len(classes) > CLASSES_SHOWN:
        lines.append(f"  and {len(classes) - CLASSES_SHOWN:,} more")
    lines.append(f"  {'all':<{width}}" + "".join(f"{totals[split]:>12,}" for split in splits))
    return [*lines, *rare]


def _describe_rare(counts: Counter[str], classes: list[str]) -> list[str]:
    """Name classes of so few pictures that they can hardly be learned."""
    rare = sorted((name for name in classes if counts[name] < FEW_PICTURES), key=lambda name: counts[name])
    if not rare:
        return []
    shown = ", ".join(f"{show_class(name)} {counts[name]:,}" for name in rare[:FEW_SHOWN])
    more = f" and {len(rare) - FEW_SHOWN:,} more" if len(rare) > FEW_SHOWN else ""
    return [f"fewer than {FEW_PICTURES} pictures, too few to learn and to judge by: {shown}{more}"]


def show_class(name: str) -> str:
    """Show a class's name in a line: without what would break it, and not too long."""
    return shorten(show_name(name), NAME_CELLS)
