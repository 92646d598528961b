"""Decoding: real files of every format, made here, come out alike; bad ones say why."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fuzzing import damaged
from image_recipes.data.decode import Region, Shape, decode
from image_recipes.data.picture_files import BadPictureError, extensions

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

    decoded = decode(encoded(stored, file_format, exif=exif), SAME)

    assert error(decoded.picture, np.asarray(scene())) < 6
    assert (decoded.width, decoded.height) == (128, 96)


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


def exif_block(entries: list[tuple[int, int, int, bytes]], tail: bytes = b"") -> bytes:
    """A block of EXIF with these entries: tag, type, count, and four bytes of value or place."""
    body = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + bytes(4) + tail


TURNED = (0x0112, 3, 1, struct.pack("<HH", 6, 0))
OUTSIDE = struct.pack("<I", 60_000)


@pytest.mark.parametrize(
    "block",
    [
        exif_block([TURNED, (0x011A, 5, 1, OUTSIDE)]),
        exif_block([(0x010F, 3, 1, struct.pack("<I", 5)), TURNED]),
        exif_block([TURNED, (0x8769, 4, 1, OUTSIDE)]),
        exif_block([TURNED, (0x9999, 99, 1, b"abcd")]),
        exif_block([(0x0112, 3, 2, struct.pack("<HH", 6, 6))]),
        exif_block([(0x0112, 4, 1, struct.pack("<I", 6))]),
        exif_block([TURNED, (0x011A, 10, 1, struct.pack("<I", 38))], struct.pack("<ii", -1, 0)),
        exif_block([TURNED])[:30],
    ],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_broken_exif_costs_neither_the_picture_nor_how_it_is_turned(block: bytes, file_format: str) -> None:
    stored = scene().transpose(Image.Transpose.ROTATE_90)

    decoded = decode(encoded(stored, file_format, exif=block), SAME)

    assert error(decoded.picture, np.asarray(scene())) < 6


@pytest.mark.parametrize("block", [b"Exif\0\0", exif_block([TURNED])[:20], exif_block([(0x0112, 3, 1, bytes(4))])])
def test_where_exif_does_not_say_it_a_picture_is_taken_as_it_lies(block: bytes) -> None:
    assert error(decode(encoded(scene(), "JPEG", quality=95, exif=block), SAME).picture, np.asarray(scene())) < 2


def test_xmp_turns_a_picture_where_exif_does_not() -> None:
    stored = scene().transpose(Image.Transpose.ROTATE_90)
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:Description tiff:Orientation=\"6\"/></x:xmpmeta>"

    for content in [encoded(stored, "JPEG", quality=95, xmp=xmp), encoded(stored, "WEBP", quality=95, xmp=xmp)]:
        assert error(decode(content, SAME).picture, np.asarray(scene())) < 6


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize(
    "metadata",
    [
        png_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(1_500_000))),
        png_chunk(b"zTXt", b"note\0\0" + zlib.compress(b"x" * 1_500_000)),
        png_chunk(b"iTXt", b"note\0\1\0\0\0" + zlib.compress(b"x" * 1_500_000)),
        png_chunk(b"tEXt", b"note\0damaged")[:-4] + b"\0\0\0\0",
        png_chunk(b"iCCP", b"neither a name nor compressed"),
    ],
)
def test_large_or_damaged_metadata_cost_no_picture(metadata: bytes) -> None:
    content = encoded(scene(), "PNG")

    assert error(decode(content[:33] + metadata + content[33:], SAME).picture, np.asarray(scene())) == 0


JPEG_KINDS: list[dict[str, Any]] = [
    {},
    {"progressive": True},
    {"restart_marker_rows": 1},
    {"restart_marker_blocks": 3, "progressive": True},
    {"subsampling": 0, "quality": 98},
]


@pytest.mark.parametrize("options", JPEG_KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_is_taken_without_its_end_but_not_without_its_last_rows(options: dict[str, Any], mode: str) -> None:
    content = encoded(scene().convert(mode), "JPEG", **options)

    for ended in [content[:-2], content[:-1]]:
        decoded = decode(ended, SAME)
        np.testing.assert_array_equal(decoded.picture, decode(content, SAME).picture)
        assert "without its end marker" in decoded.flaw
    for rest in [
        content[: len(content) * 9 // 10],
        content[: len(content) // 2],
        content[: len(content) * 2 // 3] + bytes(500),
    ]:
        with pytest.raises(BadPictureError, match="damaged or truncated"):
            decode(rest, SAME)


def test_a_progressive_jpeg_without_its_last_scan_is_refused() -> None:
    content = encoded(scene(), "JPEG", progressive=True)

    with pytest.raises(BadPictureError, match="the data end before the last row"):
        decode(content[: content.rfind(b"\xff\xc4")], SAME)


def test_what_stands_before_a_picture_is_passed_over_and_said() -> None:
    decoded = decode(b"\r\n" + encoded(scene(), "PNG"), SAME)

    assert error(decoded.picture, np.asarray(scene())) == 0
    assert "stand before it: 2" in decoded.flaw


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<!DOCTYPE html><html>404 Not Found</html>", "a page of the web"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "HEIC"),
    ],
)
def test_what_is_no_picture_is_named(content: bytes, why: str) -> None:
    with pytest.raises(BadPictureError, match=why):
        decode(content, SMALL)


def test_heic_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("image_recipes.data.opening.find_spec", lambda name: None)

    with pytest.raises(BadPictureError, match=r"HEIC: run `make extras`.*\[heic\]"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), SMALL)


def test_heic_is_read() -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()

    assert error(decode(encoded(scene(), "HEIF", quality=95), SAME).picture, np.asarray(scene())) < 6


@pytest.mark.parametrize("file_format", ["ICO", "PCX", "MPO"])
def test_formats_that_people_have_besides_are_read(file_format: str) -> None:
    small = scene(64, 48)
    options: dict[str, Any] = {"sizes": [(64, 48)]} if file_format == "ICO" else {}

    assert error(decode(encoded(small, file_format, **options), SMALL).picture, np.asarray(small)) < 2


@pytest.mark.parametrize("mode", ["LAB", "YCbCr", "CMYK"])
def test_colours_of_other_modes_are_right(mode: str) -> None:
    content = encoded(scene().convert(mode), "TIFF")

    assert error(decode(content, SAME).picture, np.asarray(scene())) < 14
    grey = decode(content, Shape(96, 128, 1, "stretch", WHOLE)).picture[..., 0]
    assert error(grey, np.asarray(scene().convert("L"))) < 14


def test_a_picture_that_is_transparent_all_over_is_said() -> None:
    image = scene().convert("RGBA")
    image.putalpha(0)

    assert "transparent all over" in decode(encoded(image, "PNG"), SAME).flaw


@pytest.mark.filterwarnings("error")
def test_pillow_s_warnings_are_silent() -> None:
    palette = scene().convert("P")
    palette.info["transparency"] = bytes([0, 128])
    for content in [
        encoded(palette, "PNG", transparency=bytes([0, 128])),
        encoded(scene(), "JPEG", exif=exif_block([(0x010F, 3, 2, struct.pack("<I", 5)), TURNED])[:40]),
        encoded(Image.new("L", (10_000, 9_000)), "PNG"),
    ]:
        decode(content, SMALL)


def _files() -> dict[str, bytes]:
    small = scene(24, 16)
    deep = Image.fromarray(np.arange(24 * 16, dtype=np.uint16).reshape(16, 24) * 100)
    files = {name: encoded(small, name) for name in ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM")}
    files["GIF"] = encoded(small.convert("P"), "GIF")
    files["TIFF, packed"] = encoded(small, "TIFF", compression="tiff_lzw")
    files["JPEG, progressive"] = encoded(small, "JPEG", progressive=True)
    return files | {"PNG of 16 bits": encoded(deep, "PNG"), "TIFF of 16 bits": encoded(deep, "TIFF")}


@pytest.mark.parametrize("kind", FILES := _files())
@given(data=st.data())
def test_a_damaged_picture_is_decoded_or_explained(kind: str, data: st.DataObject) -> None:
    content = data.draw(damaged(FILES[kind]))
    why = "decoded"
    try:
        picture = decode(content, SMALL).picture
    except BadPictureError as error:
        why = str(error)
    else:
        assert (picture.shape, picture.dtype) == ((48, 64, 3), np.uint8)
    assert why
    assert len(why) < 300
