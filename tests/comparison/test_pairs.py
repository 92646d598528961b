"""Which of two recipes is better: every pair on the same pictures, with a verdict."""

import numpy as np
import pytest

from image_recipes.comparison.pairs import choose_pairs, compare_pairs
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from predictions import of_classes, of_numbers


def test_a_pair_that_differs_and_one_that_does_not() -> None:
    good, bad = [[0.9, 0.1]] * 40, [[0.1, 0.9]] * 10 + [[0.9, 0.1]] * 30
    tables = {name: of_classes([0] * 40, chances, ["a", "b"]) for name, chances in [("x", good), ("y", bad)]}
    tables["z"] = tables["x"]

    pairs = compare_pairs(CLASSIFICATION, tables, [("x", "y"), ("x", "z")], 0)

    assert pairs["only_first_right"].tolist() == [10, 0]
    assert pairs["p"].tolist() == pytest.approx([2 / 1024, 1.0], rel=1e-3)
    assert pairs["p_holm"].tolist() == pytest.approx([4 / 1024, 1.0], rel=1e-3)
    assert pairs["verdict"].tolist() == ["x is better than y", "no evidence of a difference at n = 40"]


def test_pairs_of_numbers() -> None:
    real = list(range(60))
    tables = {name: of_numbers(real, [value + off for value in real]) for name, off in [("near", 1), ("far", 3)]}

    pairs = compare_pairs(REGRESSION, tables, [("far", "near")], 0)

    assert pairs["difference"].tolist() == [8.0]
    assert pairs["better"].tolist() == ["near"]
    assert pairs["verdict"].tolist() == ["near is better than far"]


def test_a_network_that_has_diverged_is_not_the_better_one() -> None:
    real = list(range(40))
    tables = {
        "good": of_numbers(real, [value + 1 for value in real]),
        "nan": of_numbers(real, [np.nan] * 40),
        "inf": of_numbers(real, [np.inf] * 40),
    }

    pairs = compare_pairs(REGRESSION, tables, [("good", "nan"), ("inf", "good"), ("nan", "inf")], 0)

    assert pairs["better"].tolist() == ["good", "good", ""]


def test_one_picture_says_nothing() -> None:
    tables = {"x": of_numbers([1], [1]), "y": of_numbers([1], [9])}

    pairs = compare_pairs(REGRESSION, tables, [("x", "y")], 0)

    assert pairs["verdict"].tolist() == ["no evidence of a difference at n = 1"]


def test_different_test_pictures_are_not_compared() -> None:
    tables = {"x": of_numbers([1, 2], [1, 2]), "y": of_numbers([1, 3], [1, 2])}

    with pytest.raises(UserError, match="x and y cannot be compared: they were tested on different pictures"):
        compare_pairs(REGRESSION, tables, [("x", "y")], 0)


def test_every_recipe_meets_every_other_and_the_baselines_that_tell_something() -> None:
    assert choose_pairs(["a", "b"], ["best_possible", "linear", "lit_cells", "mean"]) == [
        ("a", "b"),
        ("a", "baseline: best_possible"),
        ("a", "baseline: linear"),
        ("a", "baseline: mean"),
        ("b", "baseline: best_possible"),
        ("b", "baseline: linear"),
        ("b", "baseline: mean"),
    ]
