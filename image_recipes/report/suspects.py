"""The section of the report on labels that are probably wrong."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from image_recipes.core.dataset import Prepared
from image_recipes.report.pictures import encode_picture
from image_recipes.results.suspects import Suspects, load_suspects

SUSPECTS_SHOWN = 24
# in pixels
SIDE = 192
# without a picture; the page stays small enough to send
MOST_NAMED = 1_000
# of a split, in the page's words
SPLIT_WORDS = {"train": "training picture", "validation": "validation picture", "test": "test picture"}


class SuspectsView(NamedTuple):
    """What the page shows of a dataset's suspicious labels.

    Attributes:
        found: all of them.
        shown: the first of them, a row of the table each, with `split_word`, and the addresses `image` and `overlay`,
            the same under its heat map, or None.
        named: the next ones, without pictures.
    """

    found: Suspects
    shown: list[dict[Any, Any]]
    named: list[dict[Any, Any]]


def view_suspects(dataset: str, prepared: Prepared, overlays: Mapping[int, np.ndarray]) -> SuspectsView | None:
    """Gather what the page shows of a dataset's suspicious labels; None if the stage `suspects` has not run.

    Args:
        dataset: its name.
        prepared: its pictures, so that those are shown whose files are gone.
        overlays: pictures under their heat maps, uint8 (H, W, 3), by position in the prepared images.

    Raises:
        UserError: the table is damaged.
    """
    found = load_suspects(dataset, prepared.info)
    if found is None:
        return None
    table = found.table.head(MOST_NAMED)
    rows = table.assign(split_word=table["split"].map(SPLIT_WORDS)).to_dict("records")
    shown = []
    for row in rows[:SUSPECTS_SHOWN]:
        heat = overlays.get(row["index"])
        overlay = None if heat is None else encode_picture(heat, SIDE)
        shown.append({**row, "image": encode_picture(prepared.images[row["index"]], SIDE), "overlay": overlay})
    return SuspectsView(found, shown, rows[SUSPECTS_SHOWN:])
