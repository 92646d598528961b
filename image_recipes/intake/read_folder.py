"""Understanding a folder of pictures."""

import os
from pathlib import Path

from image_recipes.core.errors import UserError, show_path
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.data.folder import list_files
from image_recipes.data.labels import sort_classes
from image_recipes.data.picture_folder import PictureFiles, is_visible, list_picture_files
from image_recipes.data.problems import Problem
from image_recipes.intake.class_names import check_classes, merge_classes, show_class, table_of_classes
from image_recipes.intake.file_names import rename_foreign
from image_recipes.intake.found import Found
from image_recipes.intake.layout import LayoutOptions, find_layout, find_root

TABLES = {".csv", ".tsv", ".xlsx", ".jsonl"}
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
    # those of links to nothing are named
    files = files._replace(pictures=[file for file in files.pictures if (folder / file).exists()])
    if not files.pictures:
        raise UserError(f"{folder}: no pictures in it{_suggest(folder, files)}")
    root = folder if options.class_from == "name" else find_root(folder, files.pictures)
    pictures = [file.relative_to(root.relative_to(folder)) for file in files.pictures]
    lines = [f"looked through {root.relative_to(folder)}"] if root != folder else []
    layout, said = find_layout(root, pictures, options)
    renamed_files = rename_foreign(pictures)
    sources = {renamed_files.get(file, file).as_posix(): root / file for file in pictures}
    listing = list_files(root, [Path(path) for path in sources], layout)
    listing = listing._replace(problems=_broken_links(root))
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
    tables = [file for ending in sorted(TABLES) for file in sorted(folder.glob(f"*{ending}"))]
    if tables:
        return f": did you mean the table {tables[0]}?"
    if not files.others:
        return ": it is empty: give a folder with a sub-folder for each class"
    return f", but {files.describe_others()}: give a folder with a sub-folder for each class"


def _broken_links(root: Path) -> list[Problem]:
    problems = []
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if is_visible(name)]
        for name in (*names, *folders):
            link = Path(place, name)
            if link.is_symlink() and not link.exists():
                path = link.relative_to(root).as_posix()
                problems.append(
                    Problem(show_path(path), "bad picture", f"a link to {link.readlink()}, which is not there")
                )
    return problems
