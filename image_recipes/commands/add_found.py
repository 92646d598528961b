"""What `image-recipes add` finds: pictures in folders of classes, or named by a table; looked at, not decoded."""

import os
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from PIL import Image

from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.tasks import CLASSIFICATION, TASKS, Task
from image_recipes.data.decode import PICTURE_FORMATS, extensions
from image_recipes.data.folder import list_folder
from image_recipes.data.labels import LABELS, tell_task
from image_recipes.data.own_pictures import Listing
from image_recipes.data.table import Columns, list_table, read_table

# pictures are taken evenly from all
MAX_LOOKED_AT = 500
# pictures no larger than this are left as they are, larger ones made this large
MAX_SIDE = 160
PROBLEMS_SHOWN = 5
GREY_MODES = {"1", "L", "LA", "I", "I;16", "I;16B", "I;16L"}


class Found(NamedTuple):
    """What there is to add.

    Attributes:
        listing: the pictures, by paths below `root`.
        root: the folder that they lie in.
        table: the table that names them, if one does.
        columns: of the table.
        task: what is to be predicted.
    """

    listing: Listing
    root: Path
    table: Path | None
    columns: Columns | None
    task: Task


class TableOptions(NamedTuple):
    """What to read in a table.

    Attributes:
        target: the column of classes or numbers.
        picture: the column of paths; if None, the one in which there are files.
        task: by name; if None, told from the target.
    """

    target: str | None
    picture: str | None
    task: str | None


def find_pictures(path: Path, options: TableOptions) -> Found:
    """Find the pictures in a folder of classes, or those that a table names.

    Args:
        path: the folder or the table.
        options: what to read in a table; nothing, for a folder.

    Raises:
        UserError: there are none, or the table is not understood.
    """
    target, picture, task_name = options
    if task_name is not None and task_name not in TASKS:
        raise UserError(f"--task: no task {task_name!r}: {did_you_mean(task_name, TASKS)}")
    if not path.exists():
        raise UserError(f"{path}: not found")
    if path.is_dir():
        if any(options):
            raise UserError(f"{path}: a folder has no columns: name the table, or leave the options for one out")
        return Found(list_folder(path), path, None, None, CLASSIFICATION)
    table = read_table(path)
    if target is None:
        raise UserError(f"{path}: --target must name the column of classes or numbers: {', '.join(table.columns)}")
    for name in (target, picture):
        if name is not None and (not name or name not in table.columns):
            raise UserError(f"{path}: no column {name!r}: {did_you_mean(name, table.columns)}")
    others = [name for name in table.columns if name not in (target, "")]
    columns = Columns(
        picture=picture or _column_of_files(table[others], path),
        target=target,
        split=_named("split", others),
        group=_named("group", others),
    )
    task = TASKS[task_name] if task_name else tell_task(table[target])
    return Found(list_table(path, columns, task), path.parent, path, columns, task)


def _named(name: str, columns: list[str]) -> str | None:
    return next((column for column in columns if column.lower() == name), None)


def _column_of_files(table: pd.DataFrame, file: Path) -> str:
    counts = {
        # a Path's own is_file fails on a text that is too long for a name
        name: sum(os.path.isfile(file.parent / value.replace("\\", "/")) for value in table[name].head(MAX_LOOKED_AT))  # noqa: PTH113
        for name in table.columns
    }
    best = max(counts, key=lambda name: counts[name], default=None)
    if best is None or not counts[best]:
        raise UserError(f"{file}: in no column are there names of files beside it: name one by --picture")
    return best


class Look(NamedTuple):
    """What a look at pictures tells.

    Attributes:
        lines: that say what was found.
        side: the height and width that suit the pictures, in pixels.
        channels: 1 for grey pictures, else 3.
    """

    lines: list[str]
    side: int
    channels: int


def look_at(found: Found) -> Look:
    """Look at pictures without decoding them."""
    labels = found.listing.pictures["label"]
    if not len(labels):
        first = found.listing.problems[0]
        raise UserError(f"{found.table}: no row can be used, such as {first.path} ({first.detail})")
    lines = [f"{len(labels):,} pictures in {found.root}", LABELS[found.task].describe(labels)]
    paths = found.listing.pictures["path"]
    sizes, modes, unreadable = [], set(), 0
    for name in paths.iloc[:: max(1, len(paths) // MAX_LOOKED_AT)]:
        try:
            with Image.open(found.root / name, formats=PICTURE_FORMATS) as image:
                sizes.append(image.size)
                modes.add(image.mode)
        except Exception:  # a damaged file fails in as many ways as there are formats
            unreadable += 1
    if not sizes:
        raise UserError(f"{found.root}: no picture can be read: {', '.join(sorted(extensions()))} can")
    smallest, largest = min(sizes, key=lambda size: size[0] * size[1]), max(sizes, key=lambda size: size[0] * size[1])
    lines.append(f"from {smallest[0]}x{smallest[1]} to {largest[0]}x{largest[1]} pixels")
    if unreadable:
        lines.append(f"{unreadable:,} of {len(sizes) + unreadable:,} looked at cannot be read: the run will name them")
    lines += [f"{problem.path}: {problem.detail}" for problem in found.listing.problems[:PROBLEMS_SHOWN]]
    return Look(lines, min(MAX_SIDE, max(map(max, sizes))), 1 if modes <= GREY_MODES else 3)
