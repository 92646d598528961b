"""How training curves are drawn, in figures and in the report: their colours, and the scale on which they show."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

# Okabe and Ito's: those who see fewer colours tell them apart
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# the share of the epochs that counts as the start, whose fall or rise may be cut off
START = 0.1
# how far an axis goes beyond the usual values, as a multiple of their span, for the start and for single peaks
MOST_BEYOND = 1.0
# spans below these are noise: of accuracies, of what one picture changes, and of losses as a share of their size
LEAST_ACCURACY_SPAN = 0.02
LEAST_PICTURES_SPAN = 5
LEAST_LOSS_SPAN = 0.1
# of the span, at both ends
MARGIN = 0.04
# losses that differ by a larger factor are drawn on a logarithmic axis, where one is wanted
MOST_LINEAR = 20


class Scale(NamedTuple):
    """An axis: its ends, and whether it is logarithmic."""

    low: float
    high: float
    logarithmic: bool = False


def choose_scale(column: str, curves: Iterable[np.ndarray], allow_logarithmic: bool = False) -> Scale:
    """Choose the scale for some curves: large enough that noise looks small, small enough that they can be told apart.

    Args:
        column: of the histories, without `val_`: `accuracy` or `loss`.
        curves: each (epochs,); values that are not finite are passed over.
        allow_logarithmic: whether the axis may be logarithmic.

    Returns:
        A scale that shows what each curve does after the first tenth of its epochs, apart from single peaks.
    """
    finite = [curve[np.isfinite(curve)] for curve in curves]
    finite = [curve for curve in finite if len(curve)]
    if not finite:
        return Scale(0.0, 1.0)
    ends = np.array([_find_ends(curve) for curve in finite])
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    if allow_logarithmic and column == "loss" and 0 < low < high / MOST_LINEAR:
        margin = (high / low) ** MARGIN
        return Scale(low / margin, high * margin, True)
    least = _least_span(column, finite, low, high)
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
        # an accuracy is a share
        beyond = max(0.0, high - 1) + min(0.0, low) if column == "accuracy" else 0.0
        low, high = low - beyond, high - beyond
    margin = MARGIN * (high - low)
    return Scale(low - margin, high + margin)


def _find_ends(curve: np.ndarray) -> tuple[float, float]:
    later = curve[int(START * len(curve)) :]
    low, high = np.percentile(later, [1, 99])
    for values in (later, curve):
        span = MOST_BEYOND * (high - low)
        low, high = max(values.min(), low - span), min(values.max(), high + span)
    return float(low), float(high)


def _least_span(column: str, curves: list[np.ndarray], low: float, high: float) -> float:
    if column != "accuracy":
        return LEAST_LOSS_SPAN * max(abs(low), abs(high))
    # accuracies of few pictures differ by no less than one of them
    steps = [np.diff(np.unique(curve.round(6))) for curve in curves]
    one_picture = max((float(step.min()) for step in steps if len(step)), default=0.0)
    return min(1.0, max(LEAST_ACCURACY_SPAN, LEAST_PICTURES_SPAN * one_picture))
