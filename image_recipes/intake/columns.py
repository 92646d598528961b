"""Which columns of a stranger's table are the pictures and the target."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.intake.picture_paths import PictureFinder

# what Label Studio writes beside the label; by the first its exports are known
TOOL_COLUMNS = ("annotation_id", "annotator", "created_at", "id", "lead_time", "updated_at")
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
