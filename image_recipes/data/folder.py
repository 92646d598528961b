"""The source `folder`: pictures whose class is a folder's name, or the first part of their own."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from image_recipes.core.errors import UserError, escape
from image_recipes.core.params import SplitName
from image_recipes.data.labels import normalize_label
from image_recipes.data.own_pictures import Listing, OwnPictures
from image_recipes.data.picture_folder import PictureFiles, list_picture_files
from image_recipes.data.splits import SPLIT_ALIASES

ClassFrom = Literal["folder", "subfolder", "name"]
# cat_001, cat-1, cat (2), cat.0
NUMBERED = re.compile(r"(.+?)[\s._-]*[\s._(-]\d+\)?")


class FolderLayout(NamedTuple):
    """How a folder of pictures is to be read.

    Attributes:
        split_folders: folders of splits, relative to the folder, and what they are; all else is passed over.
            Empty if no folder is one. None: the first folders, if all of them have the name of a split.
        class_from: `folder`, the first one below the folder or the split's; `subfolder`, the one
            that the picture lies in; `name`, the first part of the file's name.
    """

    split_folders: Mapping[str, SplitName] | None = None
    class_from: ClassFrom = "folder"


class FolderDataset(OwnPictures):
    """Pictures in a folder of their class's name."""

    source: Literal["folder"]
    task: Literal["classification"]
    unit: None
    split_folders: dict[str, SplitName] | None = None
    class_from: ClassFrom = "folder"


def list_classes(settings: FolderDataset) -> Listing:
    """List the files of every class, and print what is passed over; errors are those of `list_folder`."""
    raw = Path(settings.raw)
    listing, files = _list(raw, FolderLayout(settings.split_folders, settings.class_from))
    if files.others:
        print(escape(f"{raw}: passed over: {files.describe_others()}"))
    return settings.rename(listing)


def list_folder(raw: Path, layout: FolderLayout = FolderLayout()) -> Listing:  # noqa: B008
    """List the pictures of every class; whether they can be read is found when they are decoded.

    Args:
        raw: the folder; hidden files in it are passed over, and what is no picture.
        layout: how it is to be read.

    Raises:
        UserError: it holds no pictures, or one that has no class.
    """
    return _list(raw, layout)[0]


def _list(raw: Path, layout: FolderLayout) -> tuple[Listing, PictureFiles]:
    if not raw.is_dir():
        raise UserError(f"{raw}: no folder: give one with a sub-folder for each class")
    files = list_picture_files(raw)
    # that a link leads to nothing is found when it is to be decoded
    return list_files(raw, [*files.pictures, *files.broken_links], layout), files


def list_files(raw: Path, files: Sequence[Path], layout: FolderLayout) -> Listing:
    """List pictures by their paths.

    Args:
        raw: the folder in which they lie.
        files: relative to it.
        layout: how it is to be read.

    Raises:
        UserError: as `list_folder`.
    """
    places = layout.split_folders
    if places is None:
        first = {file.parts[0] for file in files}
        places = {name: SPLIT_ALIASES[name.lower()] for name in first if name.lower() in SPLIT_ALIASES}
        places = places if len(places) == len(first) else {}
    rows = []
    # of the pictures in one folder the first one decides, unless their names do
    known: dict[Path, tuple[str | None, str]] = {}
    for file in files:
        key = file if layout.class_from == "name" else file.parent
        if key not in known:
            split, below = _find_split(file, places)
            known[key] = split, "" if split is None else _class_of(raw, file, below, layout.class_from)
        split, name = known[key]
        if split is not None:
            rows.append((file.as_posix(), name, split, ""))
    if not rows:
        raise UserError(f"{raw}: no pictures in it: give each class a sub-folder with its pictures")
    pictures = pd.DataFrame(rows, columns=["path", "label", "split", "group"])
    return Listing(pictures.sort_values("path", ignore_index=True), [], f"the folder {raw.name}")


def _find_split(file: Path, places: Mapping[str, SplitName]) -> tuple[str | None, Path]:
    if not places:
        return "", file
    for folder in file.parents:
        if split := places.get(folder.as_posix()):
            return split, file.relative_to(folder)
    return None, file


def _class_of(raw: Path, file: Path, below: Path, class_from: ClassFrom) -> str:
    name = CLASS_OF[class_from](below)
    if name is None and len(file.parts) - len(below.parts) > 1:
        # the split's folder lies in the class's
        name = file.parts[0]
    if name is None:
        raise UserError(f"{raw / file}: lies outside of the classes' folders: move it into one, or elsewhere")
    return normalize_label(name)


def _first_part(file: Path) -> str:
    stem = file.stem
    if found := NUMBERED.fullmatch(stem):
        return found[1]
    return re.split(r"[\s._-]+", stem)[0].rstrip("0123456789") or stem


CLASS_OF: dict[ClassFrom, Callable[[Path], str | None]] = {
    "folder": lambda file: file.parts[0] if len(file.parts) > 1 else None,
    "subfolder": lambda file: file.parent.name or None,
    "name": _first_part,
}
