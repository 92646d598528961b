"""Comparing recipes two by two: does one really predict the same test pictures better?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from image_recipes.comparison import BASELINE
from image_recipes.errors import UserError
from image_recipes.uncertainty import correct_by_holm, mcnemar_test, paired_bootstrap_test

SIGNIFICANCE = 0.05
# the smallest p of a bootstrap, 2 / (resamples + 1), is to stay below 0.05 when it is corrected
MIN_RESAMPLES = 2_000
RESAMPLES_PER_PAIR = 100
LARGEST = 1e30


def compare_pairs(
    task: str, predictions: Mapping[str, pd.DataFrame], pairs: Sequence[tuple[str, str]], seed: int
) -> pd.DataFrame:
    """Test for each pair whether one predicts the same pictures better.

    Classes by McNemar's exact test, numbers by a paired bootstrap of the squared error; p values
    are corrected by Holm for the number of pairs.

    Args:
        task: `classification` or `regression`.
        predictions: of recipes or baselines, by name.
        pairs: of their names.
        seed: of the bootstrap.

    Returns:
        Columns first, second, pictures, then for classes the numbers of pictures that
        only_first_right and only_second_right; for numbers difference (mse of the first less
        that of the second) with difference_low and difference_high; p, p_holm, better (its name,
        or empty), verdict.

    Raises:
        UserError: a pair's predictions are of different pictures.
    """
    for first, second in pairs:
        if not same_pictures(predictions[first], predictions[second]):
            counts = [f"{len(predictions[name]):,}" for name in (first, second)]
            raise UserError(
                f"{first} and {second} cannot be compared: they were tested on different pictures "
                f"({' and '.join(counts)})"
            )
    rows = PAIR_TESTS[task](predictions, pairs, seed)
    for row, (first, second), p in zip(rows, pairs, correct_by_holm([row["p"] for row in rows]), strict=True):
        row |= {"p": float(f"{row['p']:.4g}"), "p_holm": float(f"{p:.4g}")}
        favoured, other = (first, second) if row.pop("favours_first") else (second, first)
        row["better"] = favoured if p < SIGNIFICANCE else ""
        row["verdict"] = (
            f"{favoured} is better than {other}"
            if row["better"]
            else f"no evidence of a difference at n = {row['pictures']:,}"
        )
    return pd.DataFrame(rows)


def same_pictures(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Tell whether two tables of predictions are of the same pictures, as far as these tables say."""
    columns = ["index", "real"]
    return len(first) == len(second) and bool((first[columns].to_numpy() == second[columns].to_numpy()).all())


Pairs = Sequence[tuple[str, str]]


def _compare_classes(predictions: Mapping[str, pd.DataFrame], pairs: Pairs, seed: int) -> list[dict[str, Any]]:
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


def _compare_numbers(predictions: Mapping[str, pd.DataFrame], pairs: Pairs, seed: int) -> list[dict[str, Any]]:
    squares = {name: ((table["predicted"] - table["real"]) ** 2).to_numpy(float) for name, table in predictions.items()}
    # what a network that has diverged predicts is as far off as a number can be
    squares = {name: np.nan_to_num(errors, nan=LARGEST, posinf=LARGEST) for name, errors in squares.items()}
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


PAIR_TESTS: dict[str, Callable[[Mapping[str, pd.DataFrame], Pairs, int], list[dict[str, Any]]]] = {
    "classification": _compare_classes,
    "regression": _compare_numbers,
}


def choose_pairs(recipes: Sequence[str], baselines: Iterable[str]) -> list[tuple[str, str]]:
    """Choose what to compare: every recipe with every other, and with the baselines that tell something."""
    rivals = [BASELINE + name for name in baselines if name in ("linear", "best_possible")]
    return [*combinations(recipes, 2), *((recipe, rival) for recipe in recipes for rival in rivals)]
