"""The tags of a TIFF file or a block of EXIF, which has the same form, however damaged the rest of it is."""

import struct
from collections.abc import Iterable
from typing import NamedTuple

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
ORIENTATION, SAMPLES, XMP, SAMPLE_FORMAT = 274, 277, 700, 339
UNCOMPRESSED = 1
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, YCBCR = 0, 1, 2, 6
FLOATS = 3
# the tags by which pixels are decoded; the others are about the picture
PIXEL_TAGS = {*range(254, 270), 273, *range(277, 282), 284, *range(290, 294), *range(317, 349), *range(512, 533), 50674}
# of the types of whole numbers and bytes: struct's letter
WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 7: "B", 16: "Q"}
# more values of a tag, or entries of a directory, are not read
MAX_VALUES, MAX_ENTRIES = 2**20, 2**12


class Layout(NamedTuple):
    """How a block writes its tags.

    Attributes:
        order: of bytes, as struct's sign.
        offset: struct's letter for counts and places: I, or Q for BigTIFF.
        directory: where the first directory begins.
    """

    order: str
    offset: str
    directory: int

    @property
    def number(self) -> str:
        """The format of the number of entries, before them."""
        return self.order + ("H" if self.offset == "I" else "Q")

    @property
    def entry(self) -> str:
        """The format of an entry: tag, type, number of values; the values or their place follow."""
        return f"{self.order}HH{self.offset}"

    @property
    def entry_size(self) -> int:
        """In bytes, with the values."""
        return struct.calcsize(self.entry + self.offset)


def find_layout(block: bytes) -> Layout | None:
    """Tell how a block writes its tags; None if it is no TIFF."""
    signatures = {b"II*\0": "<I", b"MM\0*": ">I", b"II+\0": "<Q", b"MM\0+": ">Q"}
    found = signatures.get(block[:4])
    if found is None:
        return None
    place = struct.calcsize(found)
    if len(block) < 2 * place:
        return None
    return Layout(found[0], found[1], struct.unpack_from(found, block, place)[0])


def _find_entries(block: bytes, layout: Layout) -> list[int]:
    """Return where the entries of the first directory begin, as far as they are there whole."""
    start = layout.directory + struct.calcsize(layout.number)
    if start > len(block):
        return []
    (count,) = struct.unpack_from(layout.number, block, layout.directory)
    there = min(count, (len(block) - start) // layout.entry_size, MAX_ENTRIES)
    return [start + layout.entry_size * number for number in range(there)]


def read_tags(block: bytes, wanted: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """Read some tags of whole numbers or bytes, and pass over what is damaged.

    Args:
        block: a TIFF file, or EXIF from its byte order on.
        wanted: the tags.

    Returns:
        The values of those that can be read.
    """
    layout = find_layout(block)
    if layout is None:
        return {}
    wanted = set(wanted)
    found: dict[int, tuple[int, ...]] = {}
    for entry in _find_entries(block, layout):
        tag, kind, count = struct.unpack_from(layout.entry, block, entry)
        if tag not in wanted or tag in found or kind not in WHOLE_NUMBERS or not 0 < count <= MAX_VALUES:
            continue
        values = f"{layout.order}{count}{WHOLE_NUMBERS[kind]}"
        place = entry + struct.calcsize(layout.entry)
        if struct.calcsize(values) > struct.calcsize(layout.offset):
            (place,) = struct.unpack_from(layout.order + layout.offset, block, place)
        if place + struct.calcsize(values) <= len(block):
            found[tag] = struct.unpack_from(values, block, place)
    return found


def keep_pixel_tags(content: bytes) -> bytes:
    """Return a TIFF file whose first directory has only the tags by which pixels are decoded, and no next one."""
    layout = find_layout(content)
    if layout is None:
        return content
    entries = [content[place : place + layout.entry_size] for place in _find_entries(content, layout)]
    kept = [entry for entry in entries if struct.unpack_from(f"{layout.order}H", entry)[0] in PIXEL_TAGS]
    if len(kept) == len(entries):
        return content
    no_next = bytes(struct.calcsize(layout.offset))
    directory = b"".join([struct.pack(layout.number, len(kept)), *kept, no_next])
    return content[: layout.directory] + directory + content[layout.directory + len(directory) :]
