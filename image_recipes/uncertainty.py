"""How sure a figure is, and whether two recipes differ: intervals and tests by scipy."""

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


def mcnemar_test(only_first: int, only_second: int) -> float:
    """Return the p value of McNemar's exact test that two classifiers are right equally often.

    Where just one of both is right, it is either with probability 1/2 (McNemar 1947): a
    binomial test, by scipy.

    Args:
        only_first: how many pictures only the first has right.
        only_second: how many pictures only the second has right.
    """
    pictures = only_first + only_second
    return float(stats.binomtest(only_first, pictures).pvalue) if pictures else 1.0


def paired_bootstrap_test(
    differences: np.ndarray, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Test that paired differences are 0 on average, by drawing pictures again.

    Args:
        differences: (N, pairs), such as of two recipes' squared errors; finite.
        resamples: how often pictures are drawn again, the same for all pairs.
        seed: of the draws.

    Returns:
        p: (pairs,), two-sided: twice the share of means on the other side of 0 (Efron and
            Tibshirani 1993), at least 2 / (resamples + 1); 1 for a single picture.
        low, high: (pairs,), the ends of the mean differences' 95 % intervals.
    """
    pictures = len(differences)
    rng = np.random.default_rng(seed)
    means = np.empty((resamples, differences.shape[1]))
    at_once = max(1, BATCH_NUMBERS // pictures)
    for start in range(0, resamples, at_once):
        drawn = rng.integers(0, pictures, (min(at_once, resamples - start), pictures))
        # how often each picture is drawn serves all pairs
        counts = np.stack([np.bincount(row, minlength=pictures) for row in drawn])
        means[start : start + at_once] = counts @ differences / pictures
    beyond = 1 + np.minimum((means <= 0).sum(axis=0), (means >= 0).sum(axis=0))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    p = np.minimum(1.0, 2 * beyond / (resamples + 1))
    return p if pictures > 1 else np.ones_like(p), low, high


def correct_by_holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for how many tests were made, by Holm (1979).

    The i-th smallest of m is multiplied by m - i + 1, at most 1, and is not below those before it.

    Returns:
        In the order given.
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected.tolist()
