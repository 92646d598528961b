"""The parts that a learning curve learns from: nested, each like the whole, with groups in one piece."""

import numpy as np
import pytest

from image_recipes.commands.learning_parts import check_parts, choose_parts
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION


def test_parts_are_nested_and_hold_every_class_in_its_share() -> None:
    # the last class has a single picture
    classes = np.repeat([0, 1, 2, 3], [400, 80, 20, 1])

    parts = choose_parts(classes, np.arange(501), CLASSIFICATION, seed=1)

    quarter, half, whole = (set(part) for part in parts)
    assert quarter < half < whole == set(range(501))
    counts = [np.bincount(classes[part]) for part in parts]
    assert counts[0].tolist() == [100, 20, 5, 1]
    assert counts[1].tolist() == [200, 40, 10, 1]
    other = choose_parts(classes, np.arange(501), CLASSIFICATION, seed=2)
    assert set(other[0]) != quarter


def test_numbers_are_spread_alike() -> None:
    numbers = np.random.default_rng(0).exponential(10, 400).astype(np.float32)

    quarter, half, _ = choose_parts(numbers, np.arange(400), REGRESSION, seed=1)

    assert (len(quarter), len(half)) == (100, 200)
    edges = np.quantile(numbers, np.linspace(0, 1, 11))
    assert np.histogram(numbers[quarter], edges)[0].tolist() == [10] * 10


def test_groups_stay_in_one_piece() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), random.integers(1, 8, 60))
    classes = np.repeat(random.integers(0, 2, 60), np.bincount(groups))

    parts = choose_parts(classes, groups, CLASSIFICATION, seed=3)

    for part in parts[:2]:
        inside = np.isin(np.arange(len(groups)), part)
        assert all(len(set(inside[groups == group])) == 1 for group in range(60))
    assert 0.15 < len(parts[0]) / len(groups) < 0.35
    assert 0.4 < len(parts[1]) / len(groups) < 0.6


def test_too_few_pictures_or_groups_are_a_line() -> None:
    with pytest.raises(UserError, match=r"recipes\.net: a quarter .* 100 training pictures is 26, less than its batch"):
        check_parts(choose_parts(np.arange(100) % 2, np.arange(100), CLASSIFICATION, 0), 32, "recipes.net")
    with pytest.raises(UserError, match=r"recipes\.net: its 100 training pictures are of too few groups"):
        check_parts(choose_parts(np.arange(100) % 2, np.arange(100) % 2, CLASSIFICATION, 0), 32, "recipes.net")
