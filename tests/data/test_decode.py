"""Decoding: real files of every format, made here, come out alike; bad ones say why."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from image_recipes.data.decode import BadPictureError, Region, Shape, decode, extensions

WHOLE = Region(left=0, top=0, right=1, bottom=1)
SMALL = Shape(48, 64, 3, "stretch", WHOLE)
SAME = Shape(96, 128, 3, "stretch", WHOLE)


def scene(width: int = 128, height: int = 96) -> Image.Image:
    """A picture in which left and right, above and below, and the colours differ."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def error(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(float) - second.astype(float)).mean())


@pytest.mark.parametrize(
    ("file_format", "options", "levels"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("PPM", {}, 0),
        ("TGA", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95}, 2),
        ("JPEG", {"quality": 95, "progressive": True}, 2),
        ("WEBP", {"quality": 95}, 3),
        ("AVIF", {"quality": 95}, 3),
        ("JPEG2000", {}, 1),
        ("GIF", {}, 16),
    ],
)
def test_every_format_is_read(file_format: str, options: dict[str, Any], levels: float) -> None:
    picture = decode(encoded(scene(), file_format, **options), SAME).picture

    assert picture.shape == (96, 128, 3)
    assert picture.dtype == np.uint8
    assert error(picture, np.asarray(scene())) <= levels


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pictures_are_upright(orientation: int, file_format: str) -> None:
    turned = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    # as a camera stores it that was held so
    stored = scene() if turned is None else scene().transpose(turned)
    exif = Image.Exif()
    exif[0x0112] = orientation

    picture, _, width, height = decode(encoded(stored, file_format, exif=exif), SAME)

    assert error(picture, np.asarray(scene())) < 6
    assert (width, height) == (128, 96)


def test_transparent_pictures_lie_on_white() -> None:
    image = scene().convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat([[0] * 64 + [255] * 64], 96, axis=0).astype(np.uint8)))
    expected = np.asarray(scene()).copy()
    expected[:, :64] = 255

    for content in [encoded(image, "PNG"), encoded(image, "WEBP", lossless=True), encoded(image, "TIFF")]:
        assert error(decode(content, SAME).picture, expected) == 0

    grey = image.convert("LA")
    picture = decode(encoded(grey, "PNG"), SAME).picture
    assert (picture[:, :64] == 255).all()
    assert error(picture[:, 64:], np.asarray(scene().convert("L").convert("RGB"))[:, 64:]) == 0
    palette = scene().convert("P", palette=Image.Palette.ADAPTIVE)
    first = palette.getpixel((0, 0))
    picture = decode(encoded(palette, "PNG", transparency=first), SAME).picture
    assert picture[0, 0].tolist() == [255, 255, 255]


def test_other_modes_are_read() -> None:
    grey = np.asarray(scene().convert("L"))
    one_channel = Shape(96, 128, 1, "stretch", WHOLE)

    assert error(decode(encoded(scene().convert("L"), "PNG"), SAME).picture, np.stack([grey] * 3, axis=-1)) == 0
    assert error(decode(encoded(scene(), "PNG"), one_channel).picture[..., 0], grey) == 0
    assert error(decode(encoded(scene(), "JPEG", quality=95), one_channel).picture[..., 0], grey) < 2
    black_white = scene().convert("1")
    assert set(np.unique(decode(encoded(black_white, "PNG"), SAME).picture)) == {0, 255}
    cmyk = decode(encoded(scene().convert("CMYK"), "JPEG", quality=95), SAME).picture
    assert error(cmyk, np.asarray(scene())) < 4


def test_16_bits_become_8_by_dividing_by_257() -> None:
    values = np.linspace(0, 65_535, 96 * 128).reshape(96, 128).astype(np.uint16)
    shape = Shape(96, 128, 1, "stretch", WHOLE)

    for file_format in ["PNG", "TIFF"]:
        picture = decode(encoded(Image.fromarray(values), file_format), shape).picture
        np.testing.assert_array_equal(picture[..., 0], values // 257)


def test_of_an_animation_the_first_frame_is_read() -> None:
    other = Image.new("RGB", (128, 96), "red")

    for file_format in ["GIF", "WEBP", "TIFF", "PNG"]:
        content = encoded(scene(), file_format, save_all=True, append_images=[other, other])
        assert error(decode(content, SAME).picture, np.asarray(scene())) < 16, file_format


def test_pictures_are_fitted() -> None:
    content = encoded(scene(200, 100), "PNG")

    stretched = decode(content, Shape(50, 50, 3, "stretch", WHOLE)).picture
    assert error(stretched, np.asarray(scene(50, 50))) < 6
    padded = decode(content, Shape(50, 50, 3, "pad", WHOLE)).picture
    assert (padded[:12] == 0).all()
    assert (padded[38:] == 0).all()
    assert error(padded[12:37], np.asarray(scene(50, 25))) < 6
    cropped = decode(content, Shape(50, 50, 3, "crop", WHOLE)).picture
    assert error(cropped, np.asarray(scene(100, 50))[:, 25:75]) < 6


def test_a_region_is_cut_out() -> None:
    region = Region(left=0.5, top=0.0, right=1.0, bottom=0.5)

    picture = decode(encoded(scene(), "PNG"), Shape(48, 64, 3, "stretch", region)).picture

    assert error(picture, np.asarray(scene())[:48, 64:]) == 0


def test_a_large_jpeg_is_decoded_as_if_at_full_size() -> None:
    # of a real photograph's kind: smooth parts, edges and grain
    random = np.random.default_rng(0)
    large = np.asarray(scene(1280, 960)).astype(float) + random.normal(0, 20, (960, 1280, 3))
    large[300:600, 400:900] = [200, 30, 60]
    image = Image.fromarray(large.clip(0, 255).astype(np.uint8))
    jpeg = encoded(image, "JPEG", quality=90)
    full = encoded(Image.open(io.BytesIO(jpeg)), "PNG")

    for fit in ["stretch", "pad", "crop"]:
        shape = Shape(96, 96, 3, fit, WHOLE)  # type: ignore[arg-type]
        assert error(decode(jpeg, shape).picture, decode(full, shape).picture) < 1


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 60,000 x 60,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (encoded(scene(), "JPEG")[:-400], "damaged or truncated"),
        (encoded(scene(), "PNG")[:200], "damaged or truncated"),
        (encoded(scene(), "WEBP")[:200], "damaged or truncated"),
        (b"just a text", "not a picture"),
        (b"%PDF-1.4 and more", "not a picture"),
        (bomb(), "decompression bomb"),
        (encoded(Image.new("F", (9, 9)), "TIFF"), "floating-point"),
    ],
)
def test_a_bad_picture_says_why(content: bytes, why: str) -> None:
    with pytest.raises(BadPictureError, match=why):
        decode(content, SMALL)


def test_more_bands_than_colours_and_opacity_are_refused() -> None:
    # a TIFF's fourth band, said to be opacity, becomes one of no stated meaning: near infrared, say
    opacity, other = (struct.pack("<HHIHH", 338, 3, 1, meaning, 0) for meaning in (2, 0))
    content = encoded(scene().convert("RGBA"), "TIFF").replace(opacity, other)
    assert Image.open(io.BytesIO(content)).getbands() == ("R", "G", "B")

    with pytest.raises(BadPictureError, match="more bands than colours and opacity"):
        decode(content, SMALL)


def test_rounding_puts_no_edge_outside() -> None:
    # 64 / (64 / 784) is a little more than 784
    picture = decode(encoded(scene(784, 1000), "JPEG"), Shape(64, 64, 3, "crop", WHOLE)).picture

    assert error(picture, np.asarray(scene(64, 82))[9:73]) < 6


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
def test_a_damaged_block_of_exif_is_no_damage_to_the_picture() -> None:
    content = encoded(scene(), "JPEG", quality=95, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff and nonsense")

    assert error(decode(content, SAME).picture, np.asarray(scene())) < 2


def test_endings_are_known() -> None:
    assert {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".jp2"} <= extensions()
    assert ".pdf" not in extensions()
