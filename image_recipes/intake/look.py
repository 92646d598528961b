"""A look at pictures without decoding them: their sizes and colours, and which cannot be read."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from image_recipes.core.errors import UserError
from image_recipes.data.decode import PICTURE_FORMATS, extensions
from image_recipes.data.problems import Problem

# pictures are taken evenly from all
MAX_LOOKED_AT = 500
# pictures no larger than this are left as they are, larger ones made this large
MAX_SIDE = 160
GREY_MODES = {"1", "L", "LA", "I", "I;16", "I;16B", "I;16L"}


class Look(NamedTuple):
    """What a look at pictures tells.

    Attributes:
        lines: that say what was found.
        problems: pictures that cannot be read.
        side: the height and width that suit the pictures, in pixels.
        channels: 1 for grey pictures, else 3.
    """

    lines: list[str]
    problems: list[Problem]
    side: int
    channels: int


def look_at(sources: Mapping[str, Path], where: str) -> Look:
    """Look at some pictures, taken evenly from all.

    Args:
        sources: where each lies, by the path to name it by.
        where: they come from.

    Raises:
        UserError: none can be read.
    """
    sizes, modes, problems = [], set(), []
    names = sorted(sources)
    for name in names[:: max(1, len(names) // MAX_LOOKED_AT)]:
        if not sources[name].is_file():
            continue  # named already
        try:
            with Image.open(sources[name], formats=PICTURE_FORMATS) as image:
                sizes.append(image.size)
                modes.add(image.mode)
        except Exception:  # a damaged file fails in as many ways as there are formats
            problems.append(Problem(name, "bad picture", "cannot be read as a picture"))
    if not sizes:
        raise UserError(f"{where}: no picture can be read: {', '.join(sorted(extensions()))} can")
    smallest, largest = min(sizes, key=lambda size: size[0] * size[1]), max(sizes, key=lambda size: size[0] * size[1])
    lines = [f"from {smallest[0]}x{smallest[1]} to {largest[0]}x{largest[1]} pixels"]
    if problems:
        lines.append(f"{len(problems):,} of {len(sizes) + len(problems):,} looked at cannot be read")
    return Look(lines, problems, min(MAX_SIDE, max(map(max, sizes))), 1 if modes <= GREY_MODES else 3)
