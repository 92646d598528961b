"""Comparing recipes two by two, and with the baselines that tell something."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import pandas as pd

from image_recipes.comparison.by_task import COMPARISON
from image_recipes.comparison.significance import correct_by_holm
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import Task
from image_recipes.results.tables import BASELINE

SIGNIFICANCE = 0.05
# what lies between the mean and the best possible tells nothing more
TELLING = ("majority", "mean", "linear", "best_possible")


def choose_pairs(recipes: Sequence[str], baselines: Iterable[str]) -> list[tuple[str, str]]:
    """Choose what to compare: every recipe with every other, and with the baselines that tell something."""
    rivals = [BASELINE + name for name in baselines if name in TELLING]
    return [*combinations(recipes, 2), *((recipe, rival) for recipe in recipes for rival in rivals)]


def compare_pairs(
    task: Task, predictions: Mapping[str, pd.DataFrame], pairs: Sequence[tuple[str, str]], seed: int
) -> pd.DataFrame:
    """Test for each pair whether one predicts the same pictures better.

    Classes by McNemar's exact test, numbers by a paired bootstrap of the squared error; p values
    are corrected by Holm for the number of pairs.

    Args:
        task: of all of them.
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
    rows = COMPARISON[task].test_pairs(predictions, pairs, seed)
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
