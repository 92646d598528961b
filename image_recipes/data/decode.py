"""Decoding picture files of all common formats into arrays of one size."""

from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError
from pydantic import model_validator

from image_recipes.core.dataset import Fraction
from image_recipes.core.params import Section
from image_recipes.data.deep_pixels import MODES_OF_ONE_BAND, Kind, Ranges, read_pixels, to_levels
from image_recipes.data.opening import Opened, open_picture

PILLOW_MODES = {1: "L", 3: "RGB"}
# of an orientation as in EXIF: how a picture is turned upright
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# a JPEG is decoded at the smallest of its sizes that is so many times the wanted one
DRAFT_GAP = 1.25
# any picture is then reduced, cheaply, to no less than so many times the wanted size
REDUCING_GAP = 2.0
# of a picture's levels: one more or less in a thousand is no part of its contrast
OUTLIERS = 0.001


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
        ranges: which values become 0 and 255, of files with more than 8 bits a channel; None
            for the whole range of their numbers.
    """

    height: int
    width: int
    channels: Literal[1, 3]
    fit: Literal["pad", "crop", "stretch"]
    region: Region
    ranges: Ranges = None


class Decoded(NamedTuple):
    """A picture as it is learned from.

    Attributes:
        picture: uint8, (H, W, C).
        width: in pixels, of the original, upright.
        height: the same.
        kind: of the original's numbers.
        levels: between which almost all of its values lie, from 0 to 255, before it was padded.
        flaw: what is wrong with the file, though it can be used; or empty.
    """

    picture: np.ndarray
    width: int
    height: int
    kind: Kind
    levels: tuple[int, int]
    flaw: str


def decode(content: bytes, shape: Shape) -> Decoded:
    """Decode a picture upright, over white where it is transparent, resized with antialiasing.

    Of more than 8 bits a channel, the range of values that `shape` names becomes 0 to 255. Where
    it names none, that is 0 to 65,535, so 16 bits are divided by 257; of 16 bits a colour Pillow
    takes the upper 8. Of an animation the first frame is taken. Colours become grey by ITU-R 601.

    Args:
        content: of the picture's file.
        shape: what to make of it.

    Raises:
        BadPictureError: it is truncated, too large, or no picture.
    """
    with open_picture(content) as opened:
        return _fit(opened, shape)


def _fit(opened: Opened, shape: Shape) -> Decoded:
    width, height = opened.size
    mode = PILLOW_MODES[shape.channels]
    box, new_size = _place(width, height, shape)
    # a JPEG is decoded at a half, a quarter or an eighth of its size, where that is enough
    surplus = min((box[2] - box[0]) / new_size[0], (box[3] - box[1]) / new_size[1]) / DRAFT_GAP
    if surplus >= 2 and opened.image is not None:
        opened.image.draft(mode, (int(opened.layout.width / surplus), int(opened.layout.height / surplus)))
    picture, flaw = _in_mode(opened, mode, shape.ranges)
    if opened.orientation in TURNS:
        picture = picture.transpose(TURNS[opened.orientation])

    reduced = round(width / picture.width)
    ends = (*picture.size, *picture.size)
    box = tuple(min(edge / reduced, end) for edge, end in zip(box, ends, strict=True))  # type: ignore[assignment]
    fitted = picture.resize(new_size, Image.Resampling.BICUBIC, box, REDUCING_GAP)
    array = np.zeros((shape.height, shape.width, shape.channels), np.uint8)
    left, top = (shape.width - new_size[0]) // 2, (shape.height - new_size[1]) // 2
    values = np.asarray(fitted).reshape(*new_size[::-1], -1)
    array[top : top + new_size[1], left : left + new_size[0]] = values
    return Decoded(array, width, height, opened.layout.kind, _find_levels(values), flaw)


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


def _in_mode(opened: Opened, mode: str, ranges: Ranges) -> tuple[Image.Image, str]:
    """Decode a picture, over white where it is transparent; return it, and what is wrong with the file."""
    image, content, layout, _, flaw = opened
    deep = layout.kind != "8 bits" and (ranges is not None or image is None or image.mode in MODES_OF_ONE_BAND)
    if deep:
        pixels = read_pixels(content, image)
        if layout.kind == "floats" and (count := np.isnan(pixels.colours).sum()):
            flaw = f"{count:,} of its values are not numbers (NaN): taken for the lowest"
        image = to_levels(pixels, layout, ranges)
    elif image is None:
        raise UnidentifiedImageError
    if image.has_transparency_data:
        opaque = Image.new("RGBA", image.size, "white")
        coloured = image.convert("RGBA")
        if coloured.getchannel("A").getextrema()[1] == 0:
            flaw = "transparent all over: nothing of it is seen"
        opaque.alpha_composite(coloured)
        image = opaque
    if image.mode == "LAB" and mode == "L":
        image = image.convert("RGB")
    return (image if image.mode == mode else image.convert(mode)), flaw


def _find_levels(values: np.ndarray) -> tuple[int, int]:
    counts = np.bincount(values.ravel(), minlength=256).cumsum()
    low, high = np.searchsorted(counts, [OUTLIERS * counts[-1], (1 - OUTLIERS) * counts[-1]])
    return int(low), int(high)
