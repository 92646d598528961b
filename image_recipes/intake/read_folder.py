"""Understanding a folder of pictures."""

from pathlib import Path

from image_recipes.core.errors import UserError, show_path
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.data.folder import list_files
from image_recipes.data.labels import sort_classes
from image_recipes.data.picture_folder import PictureFiles, list_picture_files
from image_recipes.data.problems import Problem
from image_recipes.intake.class_names import check_classes, merge_classes, show_class, table_of_classes
from image_recipes.intake.file_names import rename_foreign
from image_recipes.intake.found import Found
from image_recipes.intake.layout import LayoutOptions, find_layout, find_root
from image_recipes.intake.table_file import ENDINGS

NAMES_SHOWN = 5


def read_folder(folder: Path, options: LayoutOptions, merge: bool | None) -> Found:
    """Understand a folder of pictures.

    Args:
        folder: to look into.
        options: of the command line.
        merge: whether classes that differ by case or blanks alone are the same; None to ask.

    Raises:
        UserError: there are no pictures, nothing can be learned from them, or two readings are possible.
    """
    files = list_picture_files(folder)
    if not files.pictures:
        raise UserError(f"{folder}: no pictures in it{_suggest(folder, files)}")
    root = folder if options.class_from == "name" else find_root(folder, files.pictures)
    below = root.relative_to(folder)
    pictures = files.pictures if root == folder else [file.relative_to(below) for file in files.pictures]
    lines = [f"looked through {below}"] if root != folder else []
    layout, said = find_layout(root, pictures, options)
    renamed_files = rename_foreign(pictures)
    sources = {renamed_files.get(file, file).as_posix(): root / file for file in pictures}
    listing = list_files(root, [renamed_files.get(file, file) for file in pictures], layout)
    problems = [Problem(show_path(link), "bad picture", _describe_link(folder / link)) for link in files.broken_links]
    listing = listing._replace(problems=problems)
    lines += said
    if files.others:
        lines.append(f"passed over: {files.describe_others()}")
    for file, name in list(renamed_files.items())[:NAMES_SHOWN]:
        lines.append(f"{show_path(file)}: the name is no UTF-8: copied as {name}")
    if len(renamed_files) > NAMES_SHOWN:
        lines.append(f"and {len(renamed_files) - NAMES_SHOWN:,} more such names")
    renamed = merge_classes(listing.pictures["label"], str(folder), merge)
    lines += [f"class {show_class(name)} is counted as {show_class(other)}" for name, other in renamed.items()]
    found = Found(listing, sources, CLASSIFICATION, None, layout, None, renamed, lines)
    check_classes(found.pictures, str(folder))
    lines += table_of_classes(found.pictures, sort_classes(found.pictures["label"]))
    return found


def _suggest(folder: Path, files: PictureFiles) -> str:
    tables = [file for ending in ENDINGS for file in sorted(folder.glob(f"*{ending}"))]
    if tables:
        return f": did you mean the table {tables[0]}?"
    if not files.others:
        return ": it is empty: give a folder with a sub-folder for each class"
    return f", but {files.describe_others()}: give a folder with a sub-folder for each class"


def _describe_link(link: Path) -> str:
    return f"a link to {link.readlink()}, which is not there"
