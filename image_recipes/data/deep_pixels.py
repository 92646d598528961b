"""Pictures of more than 8 bits a channel: their numbers, and how these become levels from 0 to 255."""

import io
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from image_recipes.data import tiff_tags as tags
from image_recipes.data.picture_files import BadPictureError

Kind = Literal["8 bits", "16 bits", "32 bits", "floats"]
DEEP_KINDS: tuple[Kind, ...] = ("16 bits", "32 bits", "floats")
# the lowest and the highest value for each kind of number; None for each file's own range
Ranges = Mapping[str, tuple[float, float]] | None

# Pillow's modes of one band of 16 bits; "I" is what it makes of some of them
SIXTEEN_BIT_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")
MODES_OF_ONE_BAND = (*SIXTEEN_BIT_MODES, "F")
BLACK_16, WHITE_16 = 0, 65_535
PNG_BITS = slice(24, 25)
# of bands beyond the colours: opacity, by which the colours are multiplied already, or are not
MULTIPLIED, NOT_MULTIPLIED = 1, 2
# values turned into levels at a time
BLOCK = 2**20
REMEDY = "set pixel_range of the dataset to auto, or to the [low, high] of its values"


class Layout(NamedTuple):
    """How a file stores its pixels, told without decoding.

    Attributes:
        kind: of its numbers.
        width: in pixels, as stored.
        height: the same.
        colours: 1 or 3; 0 if it is not known here.
        white_is_zero: the lowest value is white.
    """

    kind: Kind
    width: int
    height: int
    colours: int
    white_is_zero: bool


def find_layout(content: bytes, image: Image.Image | None) -> Layout | None:
    """Tell how a file stores its pixels.

    Args:
        content: of the file.
        image: as Pillow opened it; None if it could not.

    Returns:
        None if it is a file that neither Pillow nor this module can decode.
    """
    if image is not None and image.format != "TIFF":
        deep = image.mode in MODES_OF_ONE_BAND or (image.format == "PNG" and content[PNG_BITS] == b"\x10")
        kind: Kind = "8 bits" if not deep else "floats" if image.mode == "F" else "16 bits"
        return Layout(kind, *image.size, len(image.getbands()[:3]), False)
    return _layout_of_tiff(content, image)


def _layout_of_tiff(content: bytes, image: Image.Image | None) -> Layout | None:
    wanted = {tags.WIDTH, tags.HEIGHT, tags.BITS, tags.PHOTOMETRIC, tags.SAMPLE_FORMAT}
    found = tags.read_tags(content, wanted)
    bits = max(found.get(tags.BITS, (1,)))
    photometric = found.get(tags.PHOTOMETRIC, (0,))[0]
    colours = {tags.WHITE_IS_ZERO: 1, tags.BLACK_IS_ZERO: 1, tags.RGB: 3}.get(photometric, 0)
    deep = bits > 8 and colours > 0
    if image is None and (not deep or not found.keys() >= {tags.WIDTH, tags.HEIGHT}):
        return None
    floats = found.get(tags.SAMPLE_FORMAT, (1,))[0] == tags.FLOATS
    kind: Kind = "8 bits" if not deep else "floats" if floats else "16 bits" if bits <= 16 else "32 bits"
    width, height = image.size if image is not None else (found[tags.WIDTH][0], found[tags.HEIGHT][0])
    return Layout(kind, width, height, colours, photometric == tags.WHITE_IS_ZERO)


class Pixels(NamedTuple):
    """Pixels of more than 8 bits.

    Attributes:
        colours: of any type of numbers, (H, W) or (H, W, 3).
        opacity: the same, (H, W), or None.
        multiplied: the colours are multiplied by the opacity.
    """

    colours: np.ndarray
    opacity: np.ndarray | None = None
    multiplied: bool = False


def read_pixels(content: bytes, image: Image.Image | None) -> Pixels:
    """Decode a picture of more than 8 bits a channel, as stored.

    Args:
        content: of the file.
        image: as Pillow opened it; None if it could not.

    Raises:
        BadPictureError: it has more bands than colours and opacity.
        Exception: it is damaged; of many types.
    """
    if image is not None and image.mode in MODES_OF_ONE_BAND:
        values = np.asarray(image)
        sample_format = tags.read_tags(content, {tags.SAMPLE_FORMAT}).get(tags.SAMPLE_FORMAT, (1,))
        bits = tags.read_tags(content, {tags.BITS}).get(tags.BITS, (0,))
        # Pillow takes unsigned numbers of 32 bits for signed ones
        return Pixels(values.view(np.uint32) if bits == (32,) and sample_format == (1,) else values)
    # here, since few files need them
    if image is not None and image.format == "PNG":
        import imagecodecs

        values = imagecodecs.png_decode(content)
        return _split(values, 1 if values.ndim == 2 or values.shape[2] < 3 else 3, False)
    import tifffile

    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page = file.pages.first
        values = page.asarray()
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
        colours = 3 if page.photometric == tifffile.PHOTOMETRIC.RGB else 1
        extra = [int(band) for band in page.extrasamples]
    if values.ndim == 3 and values.shape[2] > colours and extra[:1] not in ([MULTIPLIED], [NOT_MULTIPLIED]):
        raise BadPictureError("more bands than colours and opacity: save it with those that count")
    return _split(values, colours, extra[:1] == [MULTIPLIED])


def _split(values: np.ndarray, colours: int, multiplied: bool) -> Pixels:
    if values.ndim == 2:
        return Pixels(values)
    if values.shape[2] > colours + 1:
        raise BadPictureError("more bands than colours and opacity: save it with those that count")
    opacity = values[..., colours] if values.shape[2] > colours else None
    return Pixels(values[..., 0] if colours == 1 else values[..., :colours], opacity, multiplied)


def to_levels(pixels: Pixels, layout: Layout, ranges: Ranges) -> Image.Image:
    """Turn pixels into an image of 8 bits a channel: of mode L, LA, RGB or RGBA.

    Args:
        pixels: as stored.
        layout: of the file.
        ranges: what becomes 0 and 255; values outside are clipped.

    Raises:
        BadPictureError: the range of such numbers is not known.
    """
    levels = _scale(pixels.colours, *_range_of(pixels.colours, layout.kind, ranges))
    image = Image.fromarray(255 - levels if layout.white_is_zero else levels)
    if pixels.opacity is None:
        return image
    most = np.iinfo(pixels.opacity.dtype).max if pixels.opacity.dtype.kind in "iu" else 1
    opacity = Image.fromarray(_scale(pixels.opacity, 0, most))
    if not pixels.multiplied:
        image.putalpha(opacity)
        return image
    bands = [*image.convert("RGB").split(), opacity]
    return Image.frombytes("RGBa", image.size, Image.merge("RGBA", bands).tobytes()).convert("RGBA")


def _range_of(values: np.ndarray, kind: Kind, ranges: Ranges) -> tuple[float, float]:
    if ranges is not None:
        if kind not in ranges:
            raise BadPictureError(f"{kind} a channel: the pictures that pixel_range was taken from have none of those")
        return ranges[kind]
    if kind == "floats":
        raise BadPictureError(f"pixels of floating-point numbers: {REMEDY}")
    if values.min() < BLACK_16 or values.max() > WHITE_16:
        raise BadPictureError(f"pixels of 32 bits, or below zero: {REMEDY}")
    return BLACK_16, WHITE_16


def _scale(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return levels from 0 to 255, uint8: each the same share of the range."""
    if values.dtype == np.uint16:
        return _levels(np.arange(WHITE_16 + 1), low, high)[values]
    levels = np.empty(values.shape, np.uint8)
    rows = max(1, BLOCK // max(1, values[0].size))
    for start in range(0, len(values), rows):
        levels[start : start + rows] = _levels(values[start : start + rows], low, high)
    return levels


def _levels(values: np.ndarray, low: float, high: float) -> np.ndarray:
    # what is no number is taken for the lowest
    clipped = np.clip(np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low), low, high)
    return ((clipped - low) * 255 / (high - low)).astype(np.uint8)
