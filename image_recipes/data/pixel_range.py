"""The key `pixel_range`: which values become black and white, of files with more than 8 bits a channel."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from image_recipes.data.decode_pool import find_extents
from image_recipes.data.deep_pixels import DEEP_KINDS, WHITE_16, Ranges
from image_recipes.data.problems import Problem

FULL, AUTO = "full", "auto"
# pictures that use less than this share of the levels lose much of what they show
LEAST_SHARE = 0.25
# of the pictures: a few odd ones do not count
ODD_PICTURES = 0.05


def check_pixel_range(value: Any) -> Any:
    """Check the key's value: `full`, `auto`, or two numbers."""
    is_range = isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_is_number, value))
    if value not in (FULL, AUTO) and not (is_range and value[0] < value[1]):
        raise ValueError(
            "give full (of 16 bits 0 to 65,535), auto (from the lowest to the highest value of the training pictures), "
            f"or [low, high] in the files' own values, such as [0, 4095], not {value!r}"
        )
    return tuple(value) if is_range else value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def find_ranges(files: Sequence[Path], name: str) -> dict[str, tuple[float, float]]:
    """Find the lowest and the highest value of pictures for each kind of number with more than 8 bits.

    Args:
        files: pictures, also of 8 bits, and bad ones; both are passed over.
        name: shown beside the progress.
    """
    ranges: dict[str, tuple[float, float]] = {}
    for extent in find_extents(files, name):
        if extent is not None:
            low, high = ranges.get(extent.kind, (extent.lowest, extent.highest))
            ranges[extent.kind] = min(low, extent.lowest), max(high, extent.highest)
    # pictures of one value alone have a range all the same
    return {kind: (low, high if high > low else low + 1) for kind, (low, high) in sorted(ranges.items())}


def describe_ranges(ranges: dict[str, tuple[float, float]]) -> str:
    """Say ranges in words, such as `16 bits: 100 to 4,012`."""
    return "; ".join(f"{kind}: {_say(low)} to {_say(high)}" for kind, (low, high) in ranges.items())


def _say(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,.7g}"


def choose_ranges(
    pixel_range: str | tuple[float, float], raw: Path, pictures: pd.DataFrame
) -> dict[str, tuple[float, float]] | None:
    """Return the range of each kind of number, and say what `auto` found.

    Args:
        pixel_range: as in params.yaml.
        raw: the folder that the pictures lie in.
        pictures: with path and split.

    Returns:
        None for each file's own range.
    """
    if pixel_range == FULL:
        return None
    if not isinstance(pixel_range, str):
        return dict.fromkeys(DEEP_KINDS, pixel_range)
    training = pictures["split"] == "train"
    ranges = find_ranges([raw / path for path in pictures["path"][training]], str(raw)) if training.any() else {}
    # a kind of number that no training picture has is taken from the others
    ranges = {**find_ranges([raw / path for path in pictures["path"][~training]], str(raw)), **ranges}
    print(f"{raw}: pixel_range: auto: {describe_ranges(ranges) or 'no picture has more than 8 bits a channel'}")
    return ranges


def find_narrow(reports: pd.DataFrame, ranges: Ranges) -> Iterator[Problem]:
    """Find kinds of pictures of which all use a small part of the range, and name the setting.

    Args:
        reports: of the pictures that can be used: kind, darkest and brightest.
        ranges: what became 0 and 255.
    """
    for kind, some in reports.groupby("kind"):
        darkest = int(np.quantile(some["darkest"], ODD_PICTURES, method="nearest"))
        brightest = int(np.quantile(some["brightest"], 1 - ODD_PICTURES, method="nearest"))
        if brightest - darkest >= LEAST_SHARE * 255:
            continue
        low, high = (0, 255) if kind == "8 bits" else (ranges or {}).get(str(kind), (0, WHITE_16))
        step = (high - low) / 255
        ends = low + darkest * step, low + min(255, brightest + 1) * step
        if kind != "floats":
            ends = math.floor(ends[0]), math.ceil(ends[1])
        if kind == "8 bits":
            remedy = "if they come from a camera of more bits, save them with 16 bits, and set pixel_range: auto"
        elif ranges is None:
            remedy = "set pixel_range: auto"
        else:
            remedy = f"set pixel_range: [{ends[0]:.7g}, {ends[1]:.7g}]"
        used = f"almost all values lie between {_say(ends[0])} and {_say(ends[1])} of {_say(low)} to {_say(high)}"
        yield Problem(str(kind), "narrow range", f"{used}: {remedy}")
