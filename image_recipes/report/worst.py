"""The worst errors of a recipe: each picture large, beside what its class or number looks like."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from image_recipes.comparison.sentences import Sentence
from image_recipes.core.dataset import Prepared
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.report.by_task import REPORT
from image_recipes.report.pictures import encode_picture
from image_recipes.results.paths import show_paths
from image_recipes.results.predictions import rank_by_confidence

WORST_SHOWN = 12
# in pixels
EXAMPLE_SIDE = 128


class Picture(NamedTuple):
    """A picture of the page: the address that holds it, its file's path, and what is said of it."""

    image: str
    path: str
    caption: Sentence


class WorstError(NamedTuple):
    """A picture that was predicted badly: its position in the prepared images, and others to set beside it.

    The overlay, if there is one, is the address of the same picture under its heat map.
    """

    position: int
    real: Any
    predicted: Any
    picture: Picture
    examples: list[Picture]
    notes: Sequence[Sentence] = ()
    overlay: str | None = None


class WorstErrors(NamedTuple):
    """The worst errors, the worst first; if there is none, the predictions that are the least sure."""

    none_wrong: bool
    shown: list[WorstError]


def view_worst(
    prepared: Prepared, test: pd.DataFrame, training: pd.DataFrame, overlays: Mapping[int, np.ndarray]
) -> WorstErrors:
    """Gather the worst errors of a recipe.

    Args:
        prepared: the dataset.
        test: predictions of the test pictures, as `results.predictions.load_predictions` returns them.
        training: those of the training pictures, among which are examples too.
        overlays: pictures under their heat maps, uint8 (H, W, 3), by position in the prepared images.
    """
    task = prepared.info.task
    texts, errors = REPORT[task], EVALUATION[task].rank_errors(test)
    chosen = (rank_by_confidence(test) if errors.empty else errors).head(WORST_SHOWN)
    ranked = texts.rank_examples(test, training)

    shown = []
    for row, path in zip(chosen.to_dict("records"), show_paths(chosen), strict=True):
        error = Picture(encode_picture(prepared.images[row["index"]]), path, texts.tell_error(row))
        found = texts.find_examples(ranked, row)
        images = [encode_picture(prepared.images[example["index"]], EXAMPLE_SIDE) for example in found]
        paths = show_paths(pd.DataFrame(found)) if found else []
        captions = map(texts.tell_example, found)
        examples = list(map(Picture, images, paths, captions))
        heat = overlays.get(row["index"])
        overlay = None if heat is None else encode_picture(heat, EXAMPLE_SIDE)
        notes = texts.note_trust(row)
        shown.append(WorstError(row["index"], row["real"], row["predicted"], error, examples, notes, overlay))
    return WorstErrors(errors.empty, shown)
