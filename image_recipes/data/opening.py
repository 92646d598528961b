"""Opening a picture's file, whatever is wrong with what surrounds its pixels."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from image_recipes.core.errors import how_to_install, one_line
from image_recipes.data import tiff_tags as tags
from image_recipes.data.deep_pixels import Kind, Layout, find_layout, read_pixels
from image_recipes.data.jpeg_end import ensure_end
from image_recipes.data.metadata import find_orientation, without_metadata
from image_recipes.data.picture_files import PICTURE_FORMATS, BadPictureError, is_heic

# more is taken for a decompression bomb, or a mistake
MAX_PIXELS = 2**27
TOO_LARGE = f"more than {MAX_PIXELS:,} pixels: a decompression bomb, or not meant to be decoded whole"
# of an orientation as in EXIF: from here on a picture lies on a side
FIRST_SIDEWAYS = 5

# what Pillow reports it does not by its file's name; what matters is raised, too
logging.getLogger("PIL").addHandler(logging.NullHandler())
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class Header(NamedTuple):
    """What a picture's file says before it is decoded.

    Attributes:
        width: in pixels, upright.
        height: the same.
        channels: 1 for a grey picture, else 3.
        kind: of its numbers.
    """

    width: int
    height: int
    channels: Literal[1, 3]
    kind: Kind


class Extent(NamedTuple):
    """The lowest and the highest value of a picture, and the kind of its numbers."""

    kind: Kind
    lowest: float
    highest: float


class Opened(NamedTuple):
    """A file that is not decoded yet; the image is None if Pillow cannot open what other libraries can."""

    image: Image.Image | None
    content: bytes
    layout: Layout
    orientation: int
    flaw: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, upright."""
        width, height = self.layout.width, self.layout.height
        return (width, height) if self.orientation < FIRST_SIDEWAYS else (height, width)


@contextmanager
def open_picture(content: bytes) -> Iterator[Opened]:
    """Open a picture's file, and turn every error that follows into a BadPictureError."""
    try:
        # Pillow's do not name the file; what is damaged is said by its errors or not at all
        with warnings.catch_warnings(action="ignore"):
            yield _look_into(content)
    except (BadPictureError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise BadPictureError(_say_what_it_is(content)) from None
    except Image.DecompressionBombError:
        raise BadPictureError(TOO_LARGE) from None
    except Exception as error:  # a damaged file fails in as many ways as there are formats
        raise BadPictureError(f"damaged or truncated: {one_line(error)}") from None


def _look_into(content: bytes) -> Opened:
    bare, orientation, flaw = without_metadata(content)
    if is_heic(bare):
        _learn_heic()
    image: Image.Image | None
    try:
        image = Image.open(io.BytesIO(bare), formats=[*PICTURE_FORMATS, *(["HEIF"] if is_heic(bare) else [])])
    except UnidentifiedImageError:
        if find_layout(bare, None) is None:
            raise
        image = None
    layout = find_layout(bare, image)
    if layout is None or layout.width * layout.height > MAX_PIXELS:
        raise BadPictureError(TOO_LARGE)
    if image is None:
        return Opened(None, bare, layout, orientation or 1, flaw)
    if image.format == "JPEG":
        ended, missing = ensure_end(bare)
        if missing:
            image, bare, flaw = Image.open(io.BytesIO(ended), formats=["JPEG"]), ended, missing
    elif image.format == "ICO":
        # only then is its size known
        image.load()
        layout = layout._replace(width=image.width, height=image.height)
    elif image.format == "TIFF":
        _prepare_tiff(image)
    if orientation is None:
        # libheif turns pictures itself
        turned = image.format == "HEIF"
        exif, xmp = (image.info.get(name) for name in ("exif", "xmp"))
        orientation = 1 if turned else find_orientation(_as_bytes(exif), _as_bytes(xmp))
    return Opened(image, bare, layout, orientation, flaw)


def _as_bytes(block: object) -> bytes:
    return block if isinstance(block, bytes) else str(block or "").encode("utf-8", "replace")


def _prepare_tiff(image: Image.Image) -> None:
    found = image.tag_v2  # type: ignore[attr-defined]
    if found.get(tags.SAMPLES, 1) > len(image.getbands()):
        raise BadPictureError("more bands than colours and opacity: save it with those that count")
    if (found.get(tags.PHOTOMETRIC), found.get(tags.COMPRESSION, 1)) == (tags.YCBCR, tags.UNCOMPRESSED):
        # Pillow reads these wrongly, libtiff does not
        arguments = ("RGBX", "raw", False, found.offset)
        image.tile = [ImageFile._Tile("libtiff", (0, 0, *image.size), 0, arguments)]  # type: ignore[attr-defined]
        image.use_load_libtiff = True  # type: ignore[attr-defined]


def _learn_heic() -> None:
    if find_spec("pillow_heif") is None:
        raise BadPictureError(f"HEIC: {how_to_install('heic')}, or save it as JPEG")
    # here, since few have it
    import pillow_heif

    pillow_heif.register_heif_opener()


def _say_what_it_is(content: bytes) -> str:
    """Say of a file that is no picture what it may be."""
    beginning = content[:256].lstrip().lower()
    if is_heic(content):
        return "damaged or truncated: HEIC without a picture that can be read"
    if beginning.startswith((b"<!doctype html", b"<html")):
        return "not a picture but a page of the web, as a failed download leaves it"
    if beginning.startswith(b"version https://git-lfs"):
        return "not a picture but a pointer of Git LFS: get the files by `git lfs pull`"
    return f"not a picture, or of a kind that cannot be read: {', '.join(PICTURE_FORMATS)} can"


def read_header(content: bytes) -> Header:
    """Read a picture's size and kind without decoding it; errors are those of `open_picture`."""
    with open_picture(content) as opened:
        image = opened.image
        bands = opened.layout.colours if image is None else 1 if image.mode == "1" else len(image.getbands())
        grey = bands < 3 and (image is None or image.mode not in ("P", "PA"))
        return Header(*opened.size, 1 if grey else 3, opened.layout.kind)


def find_extent(content: bytes) -> Extent | None:
    """Find the lowest and the highest value of a picture of more than 8 bits a channel.

    Returns:
        None for a picture of 8 bits, or without any finite number.

    Raises:
        BadPictureError: it is truncated, too large, or no picture.
    """
    with open_picture(content) as opened:
        if opened.layout.kind == "8 bits":
            return None
        values = read_pixels(opened.content, opened.image).colours
        if opened.layout.kind == "floats":
            values = values[np.isfinite(values)]
        return Extent(opened.layout.kind, values.min().item(), values.max().item()) if values.size else None
