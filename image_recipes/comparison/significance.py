"""Does one recipe really predict the same pictures better? Tests by scipy, and Holm's correction."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from image_recipes.evaluation.intervals import BATCH_NUMBERS, CONFIDENCE

# the smallest p of a bootstrap, 2 / (resamples + 1), is to stay below 0.05 when it is corrected
MIN_RESAMPLES = 2_000
RESAMPLES_PER_PAIR = 100
LARGEST_SQUARE = 1e30

Predictions = Mapping[str, pd.DataFrame]
Pairs = Sequence[tuple[str, str]]


def compare_classes(predictions: Predictions, pairs: Pairs, seed: int) -> list[dict[str, Any]]:
    """Test pairs by McNemar's exact test.

    Args:
        predictions: by name, of the same pictures.
        pairs: of names.
        seed: unused here.

    Returns:
        For each pair first, second, pictures, only_first_right, only_second_right, p, favours_first.
    """
    rights = {name: (table["real"] == table["predicted"]).to_numpy() for name, table in predictions.items()}
    rows = []
    for first, second in pairs:
        only_first = int((rights[first] & ~rights[second]).sum())
        only_second = int((rights[second] & ~rights[first]).sum())
        rows.append(
            {
                "first": first,
                "second": second,
                "pictures": len(rights[first]),
                "only_first_right": only_first,
                "only_second_right": only_second,
                "p": mcnemar_test(only_first, only_second),
                "favours_first": only_first > only_second,
            }
        )
    return rows


def compare_numbers(predictions: Predictions, pairs: Pairs, seed: int) -> list[dict[str, Any]]:
    """Test pairs by a paired bootstrap of the squared error.

    Args:
        predictions: by name, of the same pictures for both of a pair.
        pairs: of names.
        seed: of the bootstrap.

    Returns:
        For each pair first, second, pictures, difference (mse of the first less that of the second),
        difference_low, difference_high, p, favours_first.
    """
    squares = {
        # what a network that has diverged predicts is as far off as a number can be
        name: np.nan_to_num(_squared_errors(table), nan=LARGEST_SQUARE, posinf=LARGEST_SQUARE)
        for name, table in predictions.items()
    }
    by_pictures: dict[int, list[tuple[str, str]]] = {}
    for pair in pairs:
        by_pictures.setdefault(len(squares[pair[0]]), []).append(pair)
    resamples = max(MIN_RESAMPLES, RESAMPLES_PER_PAIR * len(pairs))
    found = {}
    for some in by_pictures.values():
        differences = np.stack([squares[first] - squares[second] for first, second in some], axis=1)
        tests = zip(*paired_bootstrap_test(differences, resamples, seed), strict=True)
        for (first, second), mean, (p, low, high) in zip(some, differences.mean(axis=0), tests, strict=True):
            found[first, second] = {
                "first": first,
                "second": second,
                "pictures": len(differences),
                "difference": float(f"{mean:.7g}"),
                "difference_low": float(f"{low:.7g}"),
                "difference_high": float(f"{high:.7g}"),
                "p": float(p),
                "favours_first": mean < 0,
            }
    return [found[pair] for pair in pairs]


def _squared_errors(predictions: pd.DataFrame) -> np.ndarray:
    return ((predictions["predicted"] - predictions["real"]) ** 2).to_numpy(float)


def mcnemar_test(only_first: int, only_second: int) -> float:
    """Return the p value of McNemar's exact test that two classifiers are right equally often.

    Where just one of both is right, it is either with probability 1/2 (McNemar 1947): a
    binomial test, by scipy.

    Args:
        only_first: how many pictures only the first has right.
        only_second: how many pictures only the second has right.

    >>> mcnemar_test(5, 0)
    0.0625
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

    >>> correct_by_holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return corrected.tolist()
