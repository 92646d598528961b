"""Comparing recipes two by two: does one really predict the same test pictures better?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from image_recipes.comparison import BASELINE
from image_recipes.errors import UserError
from image_recipes.uncertainty import correct_by_holm, mcnemar_test, paired_bootstrap_test

SIGNIFICANCE = 0.05
# the smallest p of a bootstrap, 2 / (resamples + 1), is to stay below 0.05 when it is corrected
MIN_RESAMPLES = 2_000
RESAMPLES_PER_PAIR = 100


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
    rows: list[dict[str, Any]] = []
    resamples = max(MIN_RESAMPLES, RESAMPLES_PER_PAIR * len(pairs))
    for first, second in pairs:
        one, other = predictions[first], predictions[second]
        if not same_pictures(one, other):
            raise UserError(
                f"{first} and {second} cannot be compared: they were tested on different pictures "
                f"({len(one):,} and {len(other):,})"
            )
        row = {"first": first, "second": second, "pictures": len(one)}
        rows.append(row | PAIR_TESTS[task](one, other, resamples, seed))
    for row, p in zip(rows, correct_by_holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = float(f"{p:.4g}")
        favoured = row["first"] if row.pop("favours_first") else row["second"]
        row["better"] = favoured if p < SIGNIFICANCE else ""
        row["verdict"] = (
            f"{favoured} is better than {({row['first'], row['second']} - {favoured}).pop()}"
            if row["better"]
            else f"no evidence of a difference at n = {row['pictures']:,}"
        )
    return pd.DataFrame(rows)


def same_pictures(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Tell whether two tables of predictions are of the same pictures, as far as these tables say."""
    columns = ["index", "real"]
    return len(first) == len(second) and bool((first[columns].to_numpy() == second[columns].to_numpy()).all())


def _compare_classes(first: pd.DataFrame, second: pd.DataFrame, resamples: int, seed: int) -> dict[str, Any]:
    rights = [(table["real"] == table["predicted"]).to_numpy() for table in (first, second)]
    only_first, only_second = int((rights[0] & ~rights[1]).sum()), int((rights[1] & ~rights[0]).sum())
    return {
        "only_first_right": only_first,
        "only_second_right": only_second,
        "p": float(f"{mcnemar_test(*rights):.4g}"),
        "favours_first": only_first > only_second,
    }


def _compare_numbers(first: pd.DataFrame, second: pd.DataFrame, resamples: int, seed: int) -> dict[str, Any]:
    squares = [((table["predicted"] - table["real"]) ** 2).to_numpy(float) for table in (first, second)]
    differences = squares[0] - squares[1]
    p, interval = paired_bootstrap_test(differences, resamples, seed)
    low, high = interval or (None, None)
    return {
        "difference": float(f"{differences.mean():.7g}"),
        "difference_low": low and float(f"{low:.7g}"),
        "difference_high": high and float(f"{high:.7g}"),
        "p": float(f"{p:.4g}"),
        "favours_first": differences.mean() < 0,
    }


PAIR_TESTS: dict[str, Callable[[pd.DataFrame, pd.DataFrame, int, int], dict[str, Any]]] = {
    "classification": _compare_classes,
    "regression": _compare_numbers,
}


def choose_pairs(recipes: Sequence[str], baselines: Iterable[str]) -> list[tuple[str, str]]:
    """Choose what to compare: every recipe with every other, and with the baselines that tell something."""
    rivals = [BASELINE + name for name in baselines if name in ("linear", "best_possible")]
    return [*combinations(recipes, 2), *((recipe, rival) for recipe in recipes for rival in rivals)]
