"""How sure a figure is: intervals that cover what they should."""

import numpy as np
import pytest

from image_recipes.evaluation.intervals import bootstrap_intervals, wilson_interval


def mean(values: np.ndarray, axis: int = -1) -> np.ndarray:
    return values.mean(axis)[np.newaxis]


def test_wilson_s_interval() -> None:
    # Newcombe (1998), table I, method 3, without continuity correction: 81 of 263, and 0 of 20
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_a_bootstrap_covers_the_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(60):
        (interval,) = bootstrap_intervals(mean, [rng.normal(3.0, 1.0, 100)], seed)
        assert interval is not None
        covered += interval[0] <= 3.0 <= interval[1]

    assert 51 <= covered <= 60


def test_a_bootstrap_goes_by_its_seed() -> None:
    values = np.random.default_rng(0).normal(size=50)

    assert bootstrap_intervals(mean, [values], 1) == bootstrap_intervals(mean, [values], 1)
    assert bootstrap_intervals(mean, [values], 1) != bootstrap_intervals(mean, [values], 2)
    assert bootstrap_intervals(mean, [values[:1]], 1) == [None]


def test_numbers_that_belong_to_one_picture_are_drawn_together() -> None:
    values = np.random.default_rng(0).normal(size=50)

    def mean_difference(first: np.ndarray, second: np.ndarray, axis: int = -1) -> np.ndarray:
        return (first - second).mean(axis)[np.newaxis]

    (interval,) = bootstrap_intervals(mean_difference, [values + 2, values], 0)

    assert interval == pytest.approx((2, 2))
