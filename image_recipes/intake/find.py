"""Understanding whatever a person gives: a folder, a table or an archive."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from image_recipes.core.errors import UserError
from image_recipes.data.picture_folder import list_picture_files
from image_recipes.intake.archive import is_archive, unpacked
from image_recipes.intake.columns import TableOptions
from image_recipes.intake.found import Found
from image_recipes.intake.layout import LayoutOptions
from image_recipes.intake.read_folder import read_folder
from image_recipes.intake.read_table import read_table
from image_recipes.intake.table_file import ENDINGS


class Options(NamedTuple):
    """What the command line says of what is given.

    Attributes:
        layout: of a folder.
        table: of a table.
        merge: whether classes that differ by case or blanks alone are the same; None to ask.
    """

    layout: LayoutOptions
    table: TableOptions
    merge: bool | None = None


@contextmanager
def find_pictures(path: Path, options: Options) -> Iterator[Found]:
    """Understand a folder of pictures, a table that names some, or an archive of either.

    Args:
        path: the folder, the table or the archive.
        options: of the command line.

    Yields:
        What there is to add.

    Raises:
        UserError: it cannot be understood, or nothing can be learned from it.
    """
    if not path.exists():
        raise UserError(f"{path}: not found")
    if is_archive(path):
        with unpacked(path) as folder:
            yield _find(_choose_table(folder, options), options)
    else:
        yield _find(path, options)


def _find(path: Path, options: Options) -> Found:
    if path.is_dir():
        if options.table != TableOptions():
            raise UserError(f"{path}: a folder has no columns: name the table, or leave the options for one out")
        return read_folder(path, options.layout, options.merge)
    if options.layout.class_from or options.layout.split_folders:
        raise UserError(f"{path}: --class-from and --split-folder are for folders: leave them out")
    no_split = options.table.no_split or options.layout.no_split
    return read_table(path, options.table._replace(no_split=no_split), options.merge)


def _choose_table(folder: Path, options: Options) -> Path:
    """Return the table of an unpacked archive, if options are for one or no folders are classes, or the folder.

    Raises:
        UserError: there are several tables.
    """
    tables = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)
    about_table = options.table != TableOptions()
    flat = len({file.parent for file in list_picture_files(folder).pictures}) < 2
    if not about_table and not (flat and tables and options.layout == LayoutOptions()):
        return folder
    if len(tables) != 1:
        shown = ", ".join(str(table.relative_to(folder)) for table in tables) or "none"
        raise UserError(f"{folder.name}: one table is needed in it, there are: {shown}: unpack it, and give the table")
    return tables[0]
