"""A look at pictures without decoding them: their sizes and colours, and which cannot be read."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from image_recipes.core.errors import UserError
from image_recipes.data.opening import read_header
from image_recipes.data.picture_files import BadPictureError, extensions, read_file
from image_recipes.data.pixel_range import describe_ranges, find_ranges
from image_recipes.data.problems import Problem

# pictures are taken evenly from all
MAX_LOOKED_AT = 500
# pictures no larger than this are left as they are, larger ones made this large
MAX_SIDE = 160


class Look(NamedTuple):
    """What a look at pictures tells.

    Attributes:
        lines: that say what was found.
        problems: pictures that cannot be read.
        side: the height and width that suit the pictures, in pixels.
        channels: 1 for grey pictures, else 3.
        deep: some have more than 8 bits a channel.
    """

    lines: list[str]
    problems: list[Problem]
    side: int
    channels: int
    deep: bool


def look_at(sources: Mapping[str, Path], where: str) -> Look:
    """Look at some pictures, taken evenly from all.

    Args:
        sources: where each lies, by the path to name it by.
        where: they come from.

    Raises:
        UserError: none can be read.
    """
    sizes, channels, deep, problems = [], set(), [], []
    names = sorted(sources)
    for name in names[:: max(1, len(names) // MAX_LOOKED_AT)]:
        if not sources[name].is_file():
            continue  # named already
        try:
            header = read_header(read_file(sources[name]))
        except BadPictureError as error:
            problems.append(Problem(name, "bad picture", str(error)))
            continue
        sizes.append((header.width, header.height))
        channels.add(header.channels)
        if header.kind != "8 bits":
            deep.append(sources[name])
    if not sizes:
        raise UserError(f"{where}: no picture can be read: {', '.join(sorted(extensions()))} can")
    smallest, largest = min(sizes, key=lambda size: size[0] * size[1]), max(sizes, key=lambda size: size[0] * size[1])
    lines = [f"from {smallest[0]}x{smallest[1]} to {largest[0]}x{largest[1]} pixels"]
    if problems:
        lines.append(f"{len(problems):,} of {len(sizes) + len(problems):,} looked at cannot be read")
    if ranges := find_ranges(deep, where):
        lines.append(f"more than 8 bits a channel, so pixel_range: auto ({describe_ranges(ranges)} in those looked at)")
    return Look(lines, problems, min(MAX_SIDE, max(map(max, sizes))), 1 if channels <= {1} else 3, bool(ranges))
