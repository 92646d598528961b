"""Whether sets and intervals hold what they promise."""

import numpy as np
import pytest

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.evaluation.coverage import measure_coverage
from image_recipes.models.reliability import Judgement

UNFAMILIAR = np.array([True, False, False, False])


def test_sets_hold_the_true_class_or_not() -> None:
    region = np.array([[True, True, False], [True, False, False], [False, False, False], [False, True, True]])

    metrics = measure_coverage(CLASSIFICATION, Judgement(np.zeros((4, 3)), region, UNFAMILIAR), np.array([1, 0, 2, 0]))

    assert metrics["coverage"] == 0.5
    assert metrics["set_size"] == 1.25
    assert metrics["unfamiliar"] == 0.25
    # Wilson's for 2 of 4
    assert metrics["coverage_low"] == pytest.approx(0.150, abs=1e-3)
    assert metrics["coverage_high"] == pytest.approx(0.850, abs=1e-3)


def test_intervals_hold_the_true_number_or_not() -> None:
    region = np.array([[0.0, 2.0], [1.0, 3.0], [2.0, 4.0], [3.0, 5.0]])

    metrics = measure_coverage(REGRESSION, Judgement(np.zeros((4, 1)), region, UNFAMILIAR), np.array([0, 4, 2.5, 5]))

    assert metrics["coverage"] == 0.75
    assert metrics["interval_width"] == 2


def test_what_is_not_known_is_said_to_be() -> None:
    metrics = measure_coverage(REGRESSION, Judgement(np.zeros((4, 1)), None, UNFAMILIAR), np.zeros(4))

    assert metrics == {
        "coverage": None,
        "coverage_low": None,
        "coverage_high": None,
        "interval_width": None,
        "unfamiliar": 0.25,
    }
