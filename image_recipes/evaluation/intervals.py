"""How sure a figure is: intervals by scipy."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
INTERVAL_RESAMPLES = 2_000
# numbers drawn at once, to bound memory
BATCH_NUMBERS = 10_000_000

Interval = tuple[float, float]


def wilson_interval(hits: int, pictures: int) -> Interval:
    """Return the 95 % interval of a share of hits by Wilson (1927), as scipy computes it.

    Args:
        hits: how many pictures were predicted rightly.
        pictures: of how many, at least 1.

    Returns:
        Its ends, within 0-1.

    >>> [round(end, 3) for end in wilson_interval(9, 10)]
    [0.596, 0.982]
    """
    interval = stats.binomtest(hits, pictures).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def bootstrap_intervals(
    statistics: Callable[..., np.ndarray], samples: Sequence[np.ndarray], seed: int
) -> list[Interval | None]:
    """Return the 95 % percentile intervals of statistics over pictures drawn again (Efron 1979).

    Args:
        statistics: of the samples and `axis`; returns one or more, stacked along a first axis.
        samples: one or more of (N,), each with a number for each picture.
        seed: of the draws, the same for all statistics.

    Returns:
        The ends for each; None for fewer than two pictures, or where they are not finite.
    """
    pictures = len(samples[0])
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        # of figures that are the same, or not finite, whatever is drawn
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        if pictures < 2:
            return [None] * len(statistics(*samples, axis=-1))
        result = stats.bootstrap(
            samples,
            statistics,
            paired=True,
            vectorized=True,
            n_resamples=INTERVAL_RESAMPLES,
            batch=max(1, BATCH_NUMBERS // pictures),
            confidence_level=CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    ends = zip(result.confidence_interval.low, result.confidence_interval.high, strict=True)
    return [(float(low), float(high)) if np.isfinite([low, high]).all() else None for low, high in ends]
