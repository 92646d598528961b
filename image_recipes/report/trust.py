"""What the page says of how sure predictions are: whether sets and ranges held, and which pictures are strange."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from image_recipes.comparison.sentences import Sentence
from image_recipes.models.reliability import COVERAGE, pictures_needed
from image_recipes.results.by_task import BETWEEN_CLASSES, PROBABILITY
from image_recipes.results.metrics import Metrics
from image_recipes.results.names import show_name
from image_recipes.results.paths import show_paths

SETS_HELD = (
    "Sets of classes meant to hold the true class for {share} of new pictures held it for {held} of {n} test pictures "
    "(95 % interval: {low} to {high}); they have {size} classes on average."
)
RANGES_HELD = (
    "Ranges meant to hold the true number for {share} of new pictures held it for {held} of {n} test pictures "
    "(95 % interval: {low} to {high}); they are {size} wide."
)
TOO_FEW = "Sets or ranges that hold for {share} of new pictures take at least {needed} validation pictures."
STRANGE = "Unlike the training pictures: {count} of {n} test pictures: {files}."
STRANGE_AND_MORE = "Unlike the training pictures: {count} of {n} test pictures, such as {files}."
SET_NOTE = "set for {share} of pictures: {classes}"
LARGE_SET_NOTE = "set for {share} of pictures: {classes} and {more} more"
NO_SET_NOTE = "set for {share} of pictures: empty, since no class is as probable as the true one mostly is"
RANGE_NOTE = "range for {share} of pictures: {low} to {high}"
STRANGE_NOTE = "unlike the training pictures"
# files, or classes of a set
NAMED = 5
SHARE = f"{COVERAGE * 100:g} %"

Row = Mapping[Hashable, Any]


def tell_sets(metrics: Metrics, pictures: int) -> Sentence | None:
    """Say for how many test pictures prediction sets held the true class; None if an earlier version did not say."""
    return _tell_held(SETS_HELD, metrics, pictures, "test_set_size")


def tell_ranges(metrics: Metrics, pictures: int) -> Sentence | None:
    """Say for how many test pictures intervals held the true number; None if an earlier version did not say."""
    return _tell_held(RANGES_HELD, metrics, pictures, "test_interval_width")


def _tell_held(text: str, metrics: Metrics, pictures: int, size: str) -> Sentence | None:
    if "test_coverage" not in metrics:
        return None
    held, low, high = (metrics.get(f"test_coverage{end}") for end in ("", "_low", "_high"))
    if held is None or low is None or high is None:
        return Sentence(TOO_FEW, {"share": SHARE, "needed": pictures_needed(COVERAGE)})
    shares = {"held": held, "low": low, "high": high}
    values = {name: f"{100 * value:.1f} %" for name, value in shares.items()}
    return Sentence(text, {**values, "share": SHARE, "n": f"{pictures:,}", "size": f"{metrics[size]:.4g}"})


def tell_strange(test: pd.DataFrame) -> Sentence | None:
    """Name test pictures that are unlike the training pictures; None if there are none."""
    strange = test[test["unfamiliar"].astype(bool)] if "unfamiliar" in test else test.head(0)
    if strange.empty:
        return None
    text = STRANGE_AND_MORE if len(strange) > NAMED else STRANGE
    files = ", ".join(show_paths(strange.head(NAMED)))
    return Sentence(text, {"count": f"{len(strange):,}", "n": f"{len(test):,}", "files": files})


def note_set(row: Row) -> list[Sentence]:
    """Say which classes a prediction's set has, as far as that is known."""
    text = row.get("prediction_set")
    if not isinstance(text, str):
        return _note_strange(row)
    names = _read_set(text, row)
    if not names:
        return [Sentence(NO_SET_NOTE, {"share": SHARE}), *_note_strange(row)]
    values = {"share": SHARE, "classes": ", ".join(map(show_name, names[:NAMED]))}
    if len(names) <= NAMED:
        return [Sentence(SET_NOTE, values), *_note_strange(row)]
    more = f"{len(names) - NAMED:,}"
    return [Sentence(LARGE_SET_NOTE, {**values, "more": more}), *_note_strange(row)]


def _read_set(text: str, row: Row) -> list[str]:
    """Return the classes of a set, the most probable first; their names may hold what stands between them."""
    found = []
    for column in row:
        name = str(column).removeprefix(PROBABILITY)
        if name != column and (text == name or text.startswith(name + BETWEEN_CLASSES)):
            found.append(name)
            text = text[len(name) + len(BETWEEN_CLASSES) :]
    return sorted(found, key=lambda name: -row[PROBABILITY + name])


def note_range(row: Row) -> list[Sentence]:
    """Say in which range a prediction's true number lies, as far as that is known."""
    low, high = row.get("low"), row.get("high")
    if low is None or high is None or pd.isna(low):
        return _note_strange(row)
    values = {"share": SHARE, "low": f"{low:.4g}", "high": f"{high:.4g}"}
    return [Sentence(RANGE_NOTE, values), *_note_strange(row)]


def _note_strange(row: Row) -> list[Sentence]:
    return [Sentence(STRANGE_NOTE)] if row.get("unfamiliar", False) else []
