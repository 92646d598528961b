"""Decoding picture files of all common formats into arrays of one size."""

import io
import os
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from pydantic import Field, model_validator

from image_recipes.core.params import Section

PICTURE_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
# more is taken for a decompression bomb, or a mistake
MAX_PIXELS = 2**27
MAX_BYTES = 2**28
TOO_LARGE = f"more than {MAX_PIXELS:,} pixels: a decompression bomb, or not meant to be decoded whole"
PILLOW_MODES = {1: "L", 3: "RGB"}
# Pillow's modes of one band of 16 bits; "I" is what it makes of some of them
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")
WHITE_16 = 65_535
# of EXIF: how a picture is turned; from this value on it lies on a side
ORIENTATION_TAG, FIRST_SIDEWAYS = 0x0112, 5
TIFF_BANDS_TAG = 277
# a JPEG is decoded at the smallest of its sizes that is so many times the wanted one
DRAFT_GAP = 1.25
# any picture is then reduced, cheaply, to no less than so many times the wanted size
REDUCING_GAP = 2.0

SideLength = Annotated[int, Field(ge=1, le=4096)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Region(Section):
    """A part of every picture, for a camera that does not move: fractions of its width and height."""

    left: Fraction
    top: Fraction
    right: Fraction
    bottom: Fraction

    @model_validator(mode="after")
    def _is_not_empty(self) -> "Region":
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError("left must be below right, and top below bottom, as fractions of the picture")
        return self

    @property
    def box(self) -> list[float]:
        """Left, top, right, bottom."""
        return [self.left, self.top, self.right, self.bottom]


class Shape(NamedTuple):
    """What pictures are made into.

    Attributes:
        height: in pixels.
        width: in pixels.
        channels: 1 (grey) or 3 (red, green, blue).
        fit: `pad` keeps the whole picture and its proportions, and fills the rest with
            black; `crop` keeps the proportions and the middle; `stretch` the whole picture.
        region: the part of the picture to use, before it is fitted.
    """

    height: int
    width: int
    channels: Literal[1, 3]
    fit: Literal["pad", "crop", "stretch"]
    region: Region


class Decoded(NamedTuple):
    """A picture as it is learned from.

    Attributes:
        picture: uint8, (H, W, C).
        fingerprint: to find pictures that look alike, before it was padded.
        width: in pixels, of the original, upright.
        height: the same.
    """

    picture: np.ndarray
    fingerprint: int
    width: int
    height: int


class BadPictureError(Exception):
    """A file that is no usable picture; the text says why."""


def extensions() -> set[str]:
    """Return the endings of names that pictures have, in lower case, with the dot."""
    Image.init()
    return {ending for ending, name in Image.registered_extensions().items() if name in PICTURE_FORMATS}


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
        raise BadPictureError("missing file") from None
    except IsADirectoryError:
        raise BadPictureError("not a picture but a folder") from None
    except OSError as error:
        raise BadPictureError(f"unreadable: {error.strerror}") from None
    if not content:
        raise BadPictureError("empty file")
    return content


def decode(content: bytes, shape: Shape) -> Decoded:
    """Decode a picture upright, over white where it is transparent, resized with antialiasing.

    A grey picture of 16 bits a pixel becomes one of 8 by dividing by 257, so 0 is black and
    65,535 white, whatever the picture uses of that range; of 16 bits a colour Pillow takes
    the upper 8. Of an animation the first frame is taken. Colours become grey by ITU-R 601.

    Args:
        content: of the picture's file.
        shape: what to make of it.

    Raises:
        BadPictureError: it is truncated, too large, or no picture.
    """
    try:
        with Image.open(io.BytesIO(content), formats=PICTURE_FORMATS) as image:
            return _fit(image, shape)
    except (BadPictureError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise BadPictureError(
            f"not a picture, or of a kind that cannot be read: {', '.join(PICTURE_FORMATS)} can"
        ) from None
    except Image.DecompressionBombError:
        raise BadPictureError(TOO_LARGE) from None
    except Exception as error:  # a damaged file fails in as many ways as there are formats
        raise BadPictureError(f"damaged or truncated: {' '.join(str(error).split()) or type(error).__name__}") from None


def _fit(image: Image.Image, shape: Shape) -> Decoded:
    if image.width * image.height > MAX_PIXELS:
        raise BadPictureError(TOO_LARGE)
    if image.format == "TIFF" and image.tag_v2.get(TIFF_BANDS_TAG, 1) > len(image.getbands()):  # type: ignore[attr-defined]
        raise BadPictureError("more bands than colours and opacity: save it with those that count")
    orientation = _orientation(image)
    # Pillow gives a TIFF's size as upright, and that of other formats as stored
    width, height = image.size if orientation < FIRST_SIDEWAYS or image.format == "TIFF" else image.size[::-1]
    box, new_size = _place(width, height, shape)
    # a JPEG is decoded at a half, a quarter or an eighth of its size, where that is enough
    surplus = min((box[2] - box[0]) / new_size[0], (box[3] - box[1]) / new_size[1]) / DRAFT_GAP
    if surplus >= 2:
        image.draft(PILLOW_MODES[shape.channels], (int(image.width / surplus), int(image.height / surplus)))
    upright = image if orientation == 1 else ImageOps.exif_transpose(image)
    picture = _in_mode(upright, PILLOW_MODES[shape.channels])

    reduced = round(width / picture.width)
    ends = (*picture.size, *picture.size)
    box = tuple(min(edge / reduced, end) for edge, end in zip(box, ends, strict=True))  # type: ignore[assignment]
    fitted = picture.resize(new_size, Image.Resampling.BICUBIC, box, REDUCING_GAP)
    array = np.zeros((shape.height, shape.width, shape.channels), np.uint8)
    left, top = (shape.width - new_size[0]) // 2, (shape.height - new_size[1]) // 2
    array[top : top + new_size[1], left : left + new_size[0]] = np.asarray(fitted).reshape(*new_size[::-1], -1)
    return Decoded(array, _fingerprint(fitted), width, height)


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a damaged block of EXIF says nothing of the picture itself
        return 1
    return orientation if orientation in range(1, 9) else 1


def _place(width: int, height: int, shape: Shape) -> tuple[tuple[float, float, float, float], tuple[int, int]]:
    """Return which box of an upright picture is used, in pixels, and to what size it is brought."""
    left, right = shape.region.left * width, shape.region.right * width
    top, bottom = shape.region.top * height, shape.region.bottom * height
    scales = shape.width / (right - left), shape.height / (bottom - top)
    if shape.fit == "pad":
        new_width, new_height = (round(min(scales) * size) for size in (right - left, bottom - top))
        return (left, top, right, bottom), (max(1, new_width), max(1, new_height))
    if shape.fit == "crop":
        # rounding must not put an edge outside of the picture
        spare_width = max(0.0, (right - left) - shape.width / max(scales))
        spare_height = max(0.0, (bottom - top) - shape.height / max(scales))
        left, right = left + spare_width / 2, right - spare_width / 2
        top, bottom = top + spare_height / 2, bottom - spare_height / 2
    return (left, top, right, bottom), (shape.width, shape.height)


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.mode in SIXTEEN_BIT_MODES:
        values = np.asarray(image)
        if values.min() < 0 or values.max() > WHITE_16:
            raise BadPictureError("pixels of 32 bits: save it with 8 or 16 bits a channel")
        return Image.fromarray((values // (WHITE_16 // 255)).astype(np.uint8)).convert(mode)
    if image.mode == "F":
        raise BadPictureError("pixels of floating-point numbers: save it with 8 or 16 bits a channel")
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        opaque.alpha_composite(image.convert("RGBA"))
        image = opaque
    return image if image.mode == mode else image.convert(mode)


def _fingerprint(image: Image.Image) -> int:
    """Return the difference hash of a picture: is each of 8 x 8 cells brighter than the next?

    Pictures that look alike differ in few of its 64 bits (N. Krawetz, "Kind of Like That",
    2013).
    """
    cells = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX)).astype(np.int16)
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")


def is_picture(file: Path) -> bool:
    """Tell by its first bytes whether a file is a picture; its name does not count."""
    try:
        with Image.open(file, formats=PICTURE_FORMATS):
            return True
    except Exception:  # no picture fails in as many ways as there are formats
        return False
