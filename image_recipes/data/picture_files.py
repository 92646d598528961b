"""Picture files: their formats, how they are found below folders, and how one is read."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from image_recipes.core.errors import UserError

PICTURE_FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "TGA", "TIFF", "WEBP")
# Pillow's name for JPEG files of several pictures, which it opens as JPEG
MPO = "MPO"
HEIC_ENDINGS = {".heic", ".heif", ".hif"}
# the first bytes of these are too common to tell a picture by them alone
WEAK_SIGNATURES = {"PCX", "PPM", "TGA"}
# as many of a file's first bytes as tell its format
SIGNATURE_BYTES = 32
# what HEIC's makers write at its beginning; AVIF shares the last two
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
MAX_BYTES = 2**28


class BadPictureError(Exception):
    """A file that is no usable picture; the text says why."""


class FoundFiles(NamedTuple):
    """What was found below folders.

    Attributes:
        pictures: sorted.
        passed_over: hidden files, and those that are no pictures by their name.
    """

    pictures: list[Path]
    passed_over: list[Path]


def extensions() -> set[str]:
    """Return the endings of names that pictures have, in lower case, with the dot."""
    Image.init()
    known = {*PICTURE_FORMATS, MPO}
    return {ending for ending, name in Image.registered_extensions().items() if name in known} | HEIC_ENDINGS


def is_heic(first_bytes: bytes) -> bool:
    """Tell whether a file begins as HEIC does, and AVIF does not."""
    return first_bytes[4:8] == b"ftyp" and first_bytes[8:12] in HEIC_BRANDS and b"avif" not in first_bytes


def is_picture(file: Path) -> bool:
    """Tell by a file's first bytes whether it is a picture: for names without an ending."""
    Image.init()
    try:
        with file.open("rb") as stream:
            first_bytes = stream.read(SIGNATURE_BYTES)
    except OSError:
        return False
    tests = (Image.OPEN[name][1] for name in PICTURE_FORMATS if name not in WEAK_SIGNATURES and name in Image.OPEN)
    return is_heic(first_bytes) or any(test is not None and test(first_bytes) for test in tests)


def find_files(paths: Sequence[Path]) -> FoundFiles:
    """List picture files: those given, and the pictures below folders that are given.

    Below a folder, a name without an ending is taken if the content is a picture.

    Raises:
        UserError: a path leads nowhere, or to a folder without pictures.
    """
    pictures: list[Path] = []
    passed_over: list[Path] = []
    known = extensions()
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise UserError(f"{path}: not found")
            pictures.append(path)
            continue
        below = sorted(_files_below(path))
        hidden = {file for file in below if file.name.startswith(".")}
        found = [file for file in below if file not in hidden and _is_wanted(file, known)]
        if not found:
            raise UserError(f"{path}: no pictures in it: {', '.join(sorted(known))}")
        pictures += found
        passed_over += sorted(set(below) - set(found))
    return FoundFiles(pictures, passed_over)


def _is_wanted(file: Path, known: set[str]) -> bool:
    return file.suffix.lower() in known if file.suffix else is_picture(file)


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, through links too, except those in hidden folders; or raise OSError."""

    def fail(error: OSError) -> None:
        raise error

    visited = set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=fail):
        # a link may lead back to where it lies
        real = os.path.realpath(place)
        folders[:] = [] if real in visited else [name for name in folders if not name.startswith(".")]
        if real not in visited:
            yield from (Path(place, name) for name in names)
        visited.add(real)


def read_file(file: Path) -> bytes:
    """Read a picture's file.

    Raises:
        BadPictureError: it is missing, empty or far too large.
    """
    try:
        with file.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > MAX_BYTES:
                raise BadPictureError(f"larger than {MAX_BYTES // 2**20} MiB")
            content = stream.read()
    except FileNotFoundError:
        raise BadPictureError("a link to nothing" if file.is_symlink() else "missing file") from None
    except IsADirectoryError:
        raise BadPictureError("not a picture but a folder") from None
    except OSError as error:
        raise BadPictureError(f"unreadable: {error.strerror}") from None
    if not content:
        raise BadPictureError("empty file")
    return content
