"""The picture files below a folder, and what lies there besides."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from image_recipes.core.errors import UserError
from image_recipes.data.picture_files import extensions, is_picture

# what file managers leave behind
IGNORED_NAMES = {"thumbs.db", "desktop.ini", "__macosx"}
NO_ENDING = "no ending"
ENDINGS_NAMED = 5


class PictureFiles(NamedTuple):
    """What lies below a folder.

    Attributes:
        pictures: by name or content, relative to the folder, sorted.
        others: how many other files there are, by the ending of their names; hidden ones are not counted.
        broken_links: links to nothing, relative to the folder.
    """

    pictures: list[Path]
    others: Counter[str]
    broken_links: list[Path]

    def describe_others(self) -> str:
        """Say how many files are no pictures, by the endings of their names."""
        kinds = ", ".join(f"{ending} {number:,}" for ending, number in self.others.most_common(ENDINGS_NAMED))
        more = ", ..." if len(self.others) > ENDINGS_NAMED else ""
        count = self.others.total()
        what = "file that is no picture" if count == 1 else "files that are no pictures"
        return f"{count:,} {what} ({kinds}{more})"


def list_picture_files(folder: Path, by_content: bool = True) -> PictureFiles:
    """List the pictures below a folder, through links too.

    Args:
        folder: to look into.
        by_content: a file whose name has no ending is one if its first bytes are a picture's.

    Raises:
        UserError: a folder below it cannot be read.
    """
    known = extensions()
    pictures, others, broken_links = [], Counter[str](), []
    for name, is_broken in sorted(visible_files(folder)):
        ending = os.path.splitext(name)[1].lower()  # noqa: PTH122, which takes long for many
        if is_broken:
            broken_links.append(Path(name))
        elif ending in known or (by_content and not ending and is_picture(folder / name)):
            pictures.append(Path(name))
        else:
            others[ending if ending.isprintable() and ending else NO_ENDING] += 1
    return PictureFiles(pictures, others, broken_links)


def visible_files(folder: Path) -> Iterator[tuple[str, bool]]:
    """Yield the path of each file below a folder, relative to it, and whether it is a link to nothing.

    Raises:
        UserError: a folder below it cannot be read.
    """

    def fail(error: OSError) -> None:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}")

    visited = set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=fail):
        # a link may lead back to where it lies
        real = os.path.realpath(place)
        folders[:] = [] if real in visited else sorted(name for name in folders if is_visible(name))
        if real not in visited:
            below = os.path.relpath(place, folder).removeprefix(".")
            for name in filter(is_visible, names):
                # cheaper than a Path for each
                file = os.path.join(place, name)  # noqa: PTH118
                yield os.path.join(below, name), os.path.islink(file) and not os.path.exists(file)  # noqa: PTH110, PTH114, PTH118
        visited.add(real)


def is_visible(name: str) -> bool:
    """Tell whether a file or folder of this name counts: hidden ones, and what file managers leave, do not."""
    return not name.startswith(".") and name.lower() not in IGNORED_NAMES
