"""JPEG files that lack their end marker: is anything of the picture missing, too?"""

import hashlib
import io
import re

from PIL import Image

from image_recipes.data.picture_files import BadPictureError

SCAN, END = b"\xff\xda", b"\xff\xd9"
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
COEFFICIENTS = 64
# in a scan: a marker that is neither a stuffed byte, nor a restart, nor fills up
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
RESTART = re.compile(rb"\xff[\xd0-\xd7]")
# a file that was reserved but not filled ends with zeros; a scan may end with a few
TRAILING_ZEROS = re.compile(rb"\x00{16,}\Z")
FILLING_BYTES = 4096


def ensure_end(content: bytes) -> tuple[bytes, str]:
    """Put the end marker behind a JPEG that lacks it, if nothing of the picture is missing.

    Args:
        content: without metadata, which may hold JPEGs of their own.

    Returns:
        The file with its end, and what was wrong with it; or empty.

    Raises:
        BadPictureError: the data of some pixels are missing.
    """
    if content.find(END, content.find(SCAN)) >= 0:
        return content, ""
    content = TRAILING_ZEROS.sub(b"", content).rstrip(b"\xff")
    if _misses_scans(content) or not _misses_nothing(content):
        raise BadPictureError("damaged or truncated: the data end before the last row")
    return content + END, "a JPEG without its end marker; nothing of the picture is missing"


def _misses_scans(content: bytes) -> bool:
    """Tell whether scans are missing that would bring a component, or the details of one."""
    bits_left: dict[int, list[int]] = {}
    progressive = False
    position = 2
    while found := MARKER.search(content, position):
        marker, position = found[0][1], found.end()
        size = max(2, int.from_bytes(content[position : position + 2], "big"))
        segment = content[position + 2 : position + size]
        if marker in FRAMES and len(segment) > 5:
            progressive = marker in PROGRESSIVE
            bits_left = {name: [COEFFICIENTS] * COEFFICIENTS for name in segment[6 : 6 + 3 * segment[5] : 3]}
        elif marker == SCAN[1] and segment:
            names, (first, last, bits) = segment[1 : 1 + 2 * segment[0] : 2], segment[-3:].rjust(3, b"\0")
            if not progressive:
                first, last, bits = 0, COEFFICIENTS - 1, 0
            for name in names:
                if name in bits_left:
                    bits_left[name][first : last + 1] = [bits & 15] * (last + 1 - first)
        position += size
    return not bits_left or any(any(bits) for bits in bits_left.values())


def _misses_nothing(content: bytes) -> bool:
    """Tell whether what follows the content makes no difference to the pixels."""
    last_scan = content[max(content.rfind(SCAN), 0) :]
    restarts = RESTART.findall(last_scan)
    following = (restarts[-1][1] + 1) % 8 if restarts else 0
    wanted = _pixels(content + END)
    for seed in (b"one", b"other"):
        filling = hashlib.shake_256(seed).digest(FILLING_BYTES).replace(b"\xff", b"\x7f")
        parts = [filling]
        for number in range(16):
            parts += [bytes([0xFF, 0xD0 + (following + number) % 8]), filling]
        if _pixels(content + b"".join(parts) + END) != wanted:
            return False
    return True


def _pixels(content: bytes) -> bytes:
    """Return a hash of a JPEG's pixels."""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        return hashlib.sha256(image.tobytes()).digest()
