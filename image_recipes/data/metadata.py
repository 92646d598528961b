"""What files say about a picture beside its pixels: taken off before decoding, except how it is turned.

Cameras and programs write metadata that is damaged or large; it must not cost the picture.
"""

import re
import struct
import zlib
from typing import NamedTuple

from image_recipes.data.tiff_tags import ORIENTATION, XMP, find_layout, keep_pixel_tags, read_tags

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
START_OF_SCAN = 0xDA
# APP0 (JFIF) and APP14 (Adobe) tell how colours are stored
JPEG_METADATA = {*range(0xE1, 0xEE), 0xEF, 0xFE}
EXIF_HEADER, XMP_HEADER = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
XMP_ORIENTATION = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])")
# of a compressed text: more is not looked at
MAX_TEXT = 2**20
# what a server or an editor may have put before a picture
LEADING = re.compile(rb"(?:\xef\xbb\xbf|[\r\n\t \0])+(?=\xff\xd8\xff|\x89PNG\r\n)")
MAX_LEADING = 64


# in AVIF: where a block of EXIF is, and one without entries; Pillow turns AVIF by what stands elsewhere
AVIF_BRANDS = (b"ftypavif", b"ftypavis")
AVIF_EXIF = re.compile(rb"(\0\0\0[\0\x06](?:Exif\0\0)?)(?:II\*\0|MM\0\*).{10}", re.DOTALL)
NO_ENTRIES = b"II*\0\x08\0\0\0\0\0\0\0\0\0"


class Bare(NamedTuple):
    """A picture's file without metadata.

    Attributes:
        content: of the file.
        orientation: from 1 to 8, as in EXIF; None if the format is one whose metadata was left.
        flaw: what is wrong with the file all the same; or empty.
    """

    content: bytes
    orientation: int | None
    flaw: str


def without_metadata(content: bytes) -> Bare:
    """Take metadata off a file of AVIF, JPEG, PNG or TIFF, so that only how it is turned is read of it."""
    flaw = ""
    if leading := LEADING.match(content[:MAX_LEADING]):
        content = content[leading.end() :]
        flaw = f"bytes that are no part of the picture stand before it: {leading.end()}"
    if content.startswith(JPEG_SIGNATURE):
        return Bare(*_strip_jpeg(content), flaw)
    if content.startswith(PNG_SIGNATURE):
        return Bare(*_strip_png(content), flaw)
    if content[4:12] in AVIF_BRANDS:
        return Bare(AVIF_EXIF.sub(lambda found: found[1] + NO_ENTRIES, content), None, flaw)
    if find_layout(content):
        xmp = read_tags(content, {XMP}).get(XMP, ())
        return Bare(keep_pixel_tags(content), find_orientation(content, bytes(xmp)), flaw)
    return Bare(content, None, flaw)


def find_orientation(exif: bytes, xmp: bytes) -> int:
    """Find how a picture is turned.

    Args:
        exif: the block, or none; damaged parts of it are passed over.
        xmp: looked at where the former says nothing.

    Returns:
        From 1 (upright) to 8, as in EXIF.
    """
    while exif.startswith(EXIF_HEADER):
        exif = exif.removeprefix(EXIF_HEADER)
    value = read_tags(exif, {ORIENTATION}).get(ORIENTATION, (0,))[0]
    if value in range(1, 9):
        return value
    found = XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else 1


def _strip_jpeg(content: bytes) -> tuple[bytes, int]:
    kept, exif, xmp = [content[:2]], b"", b""
    position = 2
    while content[position : position + 1] == b"\xff" and position + 4 <= len(content):
        marker, size = struct.unpack_from(">BH", content, position + 1)
        if marker == 0xFF:  # fills up
            position += 1
            continue
        end = position + 2 + size
        if marker < 0xC0 or 0xD0 <= marker <= START_OF_SCAN or size < 2 or end > len(content):
            break
        segment = content[position + 4 : end]
        if marker not in JPEG_METADATA:
            kept.append(content[position:end])
        elif segment.startswith(EXIF_HEADER):
            exif = exif or segment
        elif segment.startswith(XMP_HEADER):
            xmp = xmp or segment
        position = end
    return b"".join([*kept, content[position:]]), find_orientation(exif, xmp)


def _strip_png(content: bytes) -> tuple[bytes, int]:
    kept, exif, xmp = [PNG_SIGNATURE], b"", b""
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(content):
        size, name = struct.unpack_from(">I4s", content, position)
        end = position + 12 + size
        if end > len(content):
            break
        data = content[position + 8 : end - 4]
        # what is needed for the pixels begins with a capital letter; transparency is as much of them
        if name[:1].isupper() or name == b"tRNS":
            kept.append(content[position:end])
        elif name == b"eXIf":
            exif = data
        elif data.startswith(b"XML:com.adobe.xmp\0"):
            xmp = _text(name, data)
        elif data.startswith((b"Raw profile type exif\0", b"Raw profile type APP1\0")):
            exif = exif or _from_hexadecimal(_text(name, data))
        position = end
    return b"".join([*kept, content[position:]]), find_orientation(exif, xmp)


def _text(name: bytes, data: bytes) -> bytes:
    """Return the text of a PNG's chunk of text, or as much as is looked at."""
    text = data.partition(b"\0")[2]
    compressed = name == b"zTXt"
    if name == b"iTXt":
        compressed = text[:1] == b"\1"
        # flag and method, then the language and the translated keyword
        text = text[2:].partition(b"\0")[2].partition(b"\0")[2]
    elif compressed:
        text = text[1:]
    if not compressed:
        return text[:MAX_TEXT]
    try:
        return zlib.decompressobj().decompress(text, MAX_TEXT)
    except zlib.error:
        return b""


def _from_hexadecimal(text: bytes) -> bytes:
    """Read what ImageMagick writes: a name, a size, and the block in hexadecimal digits."""
    digits = b"".join(text.split(b"\n")[3:])
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return b""
