"""The section of the report on labels that are probably wrong."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from image_recipes.core.dataset import Prepared
from image_recipes.results.suspects import Suspects, load_suspects

SUSPECTS_SHOWN = 24
# without a picture; the page stays small enough to send
MOST_NAMED = 1_000
# of a split, in the page's words
SPLIT_WORDS = {"train": "training picture", "validation": "validation picture", "test": "test picture"}


class SuspectsView(NamedTuple):
    """What the page shows of a dataset's suspicious labels.

    Attributes:
        found: all of them.
        shown: the first of them, a row of the table each, with `image`, a data URI, and `split_word`.
        named: the next ones, without `image`.
    """

    found: Suspects
    shown: list[dict[Any, Any]]
    named: list[dict[Any, Any]]


def view_suspects(dataset: str, prepared: Prepared, draw: Callable[[np.ndarray], str]) -> SuspectsView | None:
    """Gather what the page shows of a dataset's suspicious labels; None if the stage `suspects` has not run.

    Args:
        dataset: its name.
        prepared: its pictures, so that those are shown whose files are gone.
        draw: makes a data URI of a picture.

    Raises:
        UserError: the table is damaged.
    """
    found = load_suspects(dataset, prepared.info)
    if found is None:
        return None
    table = found.table.head(MOST_NAMED)
    rows = table.assign(split_word=table["split"].map(SPLIT_WORDS)).to_dict("records")
    shown = [{**row, "image": draw(prepared.images[row["index"]])} for row in rows[:SUSPECTS_SHOWN]]
    return SuspectsView(found, shown, rows[SUSPECTS_SHOWN:])
