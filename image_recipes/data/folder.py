"""The source `folder`: pictures in one sub-folder a class, or in train, validation and test above them."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.data.decode import extensions
from image_recipes.data.own_pictures import Listing, OwnPictures
from image_recipes.data.splits import SPLIT_ALIASES

# what file managers leave behind
IGNORED_NAMES = {"thumbs.db", "desktop.ini", "__macosx"}


class FolderDataset(OwnPictures):
    """Pictures in a folder of their class's name."""

    source: Literal["folder"]
    task: Literal["classification"]
    unit: None


def list_classes(settings: FolderDataset) -> Listing:
    """List the files of every class; errors are those of `list_folder`."""
    return list_folder(Path(settings.raw))


def list_folder(raw: Path) -> Listing:
    """List the files of every class; what is no picture is found when it is decoded.

    Args:
        raw: the folder; hidden files in it are passed over, and what is no picture by its
            name and lies beside the classes' folders, such as a table.

    Raises:
        UserError: it holds no folders with files.
    """
    if not raw.is_dir():
        raise UserError(f"{raw}: no folder: give one with a sub-folder for each class")
    known = extensions()
    files = sorted(file.relative_to(raw) for file in _visible_files(raw))
    files = [file for file in files if len(file.parts) > 1 or file.suffix.lower() in known]
    given = {file.parts[0].lower() for file in files} <= SPLIT_ALIASES.keys()
    rows = []
    for file in files:
        split = SPLIT_ALIASES[file.parts[0].lower()] if given else ""
        classes = file.parts[1:-1] if given else file.parts[:-1]
        if not classes:
            raise UserError(f"{raw / file}: lies outside of the classes' folders: move it into one, or elsewhere")
        # macOS writes accents and Hangul in parts, other systems as one
        rows.append((file.as_posix(), unicodedata.normalize("NFC", classes[0]), split, ""))
    if not rows:
        raise UserError(f"{raw}: no pictures in it: give each class a sub-folder with its pictures")
    pictures = pd.DataFrame(rows, columns=["path", "label", "split", "group"])
    return Listing(pictures.sort_values("path", ignore_index=True), [], f"the folder {raw.name}")


def _visible_files(raw: Path) -> Iterator[Path]:
    """Yield the files below a folder, through links too; a folder that cannot be read is an error."""

    def fail(error: OSError) -> None:
        raise error

    visited = set()
    for place, folders, names in os.walk(raw, followlinks=True, onerror=fail):
        # a link may lead back to where it lies
        real = os.path.realpath(place)
        folders[:] = [] if real in visited else [name for name in folders if _is_visible(name)]
        if real not in visited:
            yield from (Path(place, name) for name in names if _is_visible(name))
        visited.add(real)


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in IGNORED_NAMES
