"""How sure a figure is, and whether two recipes differ: intervals and tests by scipy."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

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
    result = _resample(statistics, samples, INTERVAL_RESAMPLES, seed)
    if result is None:
        return [None] * len(statistics(*samples, axis=-1))
    ends = zip(result.confidence_interval.low, result.confidence_interval.high, strict=True)
    return [(float(low), float(high)) if np.isfinite([low, high]).all() else None for low, high in ends]


def mcnemar_test(first_right: np.ndarray, second_right: np.ndarray) -> float:
    """Return the p value of McNemar's exact test that two classifiers are right equally often.

    Where just one of both is right, it is either with probability 1/2 (McNemar 1947): a
    binomial test, by scipy.

    Args:
        first_right: bool, (N,), whether the first is right, for each picture.
        second_right: the same of the second, on the same pictures.
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    if only_first + only_second == 0:
        return 1.0
    return float(stats.binomtest(only_first, only_first + only_second).pvalue)


def paired_bootstrap_test(differences: np.ndarray, resamples: int, seed: int) -> tuple[float, Interval | None]:
    """Test that paired differences are 0 on average, by drawing pictures again.

    Args:
        differences: (N,), such as of two recipes' squared errors.
        resamples: how often pictures are drawn again.
        seed: of the draws.

    Returns:
        p: two-sided: twice the share of means on the other side of 0 (Efron and Tibshirani
            1993), at least 2 / (resamples + 1); 1 for fewer than two pictures.
        interval: of the mean difference, 95 %.
    """
    result = _resample(np.mean, [differences], resamples, seed)
    if result is None:
        return 1.0, None
    means = result.bootstrap_distribution
    beyond = 1 + min((means <= 0).sum(), (means >= 0).sum())
    interval = float(result.confidence_interval.low), float(result.confidence_interval.high)
    return float(min(1.0, 2 * beyond / (len(means) + 1))), interval


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


def _resample(statistic: Callable[..., np.ndarray], samples: Sequence[np.ndarray], resamples: int, seed: int) -> Any:
    pictures = len(samples[0])
    if pictures < 2:
        return None
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        # of figures that are the same, or not finite, whatever is drawn
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        return stats.bootstrap(
            samples,
            statistic,
            paired=True,
            vectorized=True,
            n_resamples=resamples,
            batch=max(1, BATCH_NUMBERS // pictures),
            confidence_level=CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
