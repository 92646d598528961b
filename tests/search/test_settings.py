"""Searches of params.yaml that do not validate, or do not fit the rest of the file."""

import copy
from typing import Any

import pytest

from image_recipes.core.errors import UserError
from image_recipes.core.params import validate
from image_recipes.core.tasks import REGRESSION
from image_recipes.search.paths import parse_path, with_value
from image_recipes.search.settings import Range, Search, SearchSettings, find_misfits

RECIPE = {
    "dataset": "dots",
    "architecture": "pool",
    "start_from": "data/weights/random",
    "epochs": 10,
    "batch_size": 32,
    "precision": "float32",
    "jit_compile": "auto",
    "optimizer": {"name": "Adam", "learning_rate": 0.01},
}
PARAMS = {
    "seed": 0,
    "datasets": {"dots": {}},
    "recipes": {"net": RECIPE, "other": RECIPE},
    "architectures": {"pool": [{"Conv2D": {"filters": 8, "kernel_size": 3}}, "Flatten"], "flat": ["Flatten"]},
}
SEARCH = {
    "recipe": "net",
    "metric": "val_loss",
    "sampler": "tpe",
    "pruner": "median",
    "trials": 20,
    "seeds": 2,
    "space": {"recipes.net.optimizer.learning_rate": {"low": 0.001, "high": 0.1, "log": True}},
}


def misfits(**changes: Any) -> list[str]:
    settings = validate(SearchSettings, {**copy.deepcopy(SEARCH), **changes}, "searches.tune")
    return find_misfits(Search("tune", settings, PARAMS), REGRESSION)


@pytest.mark.parametrize(
    "space",
    [
        {"recipes.net.epochs": {"low": 4, "high": 8}, "recipes.net.architecture": ["pool", "flat"]},
        {"architectures.pool[0].Conv2D.filters": {"low": 2, "high": 64, "log": True}},
        {"architectures.pool[0]": ["Flatten", {"Dense": {"units": 3}}]},
        {"recipes.net.optimizer": [{"name": "SGD", "learning_rate": 0.1}, {"name": "Adam", "learning_rate": 0.01}]},
    ],
)
def test_what_fits_is_taken(space: dict[str, Any]) -> None:
    assert misfits(space=space) == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"metric": "test_mse"}, "metric: test_mse is of the test pictures, which are for the end"),
        ({"mode": "max"}, "mode: max would look for the worst val_loss: remove it"),
        ({"metric": "val_accuracy"}, "metric: no 'val_accuracy': give val_loss"),
        (
            {"pruner": "median", "space": {"recipes.net.epochs": {"low": 1, "high": 8}}},
            "needs 4 epochs at least, not 1",
        ),
        ({"pruner": "hyperband", "space": {"recipes.net.epochs": [8, 20]}}, "needs 9 epochs at least, not 8"),
        ({"sampler": "grid"}, "space.recipes.net.optimizer.learning_rate: a grid has no end of it: give a step"),
        (
            {"sampler": "grid", "space": {"recipes.net.epochs": {"low": 4, "high": 100}}},
            "the grid has 97 points, not 20",
        ),
        ({"space": {"recipes.net.epoch": [1, 2]}}, "space.recipes.net.epoch: no such path: did you mean 'recipes.net."),
        (
            {"space": {"recipes.net.epochs": [5, 0]}},
            "space.recipes.net.epochs: with 0: recipes.net.epochs: give at least",
        ),
        ({"space": {"recipes.net.epochs": [5, 5]}}, "space.recipes.net.epochs: 5 stands there twice: remove one"),
        (
            {"space": {"recipes.net.architecture": ["pol"]}},
            "with 'pol': recipes.net.architecture: no architecture 'pol'",
        ),
        ({"space": {"recipes.other.epochs": [4, 5]}}, "not of the recipe net: give `recipes.net.` and a key"),
        ({"space": {"recipes.net.dataset": ["dots"]}}, "all trials are judged by the same pictures"),
        ({"space": {"architectures.pool": [["Flatten"]]}}, "choose between whole architectures by `recipes.net.arch"),
        ({"space": {"architectures.pool[0]": [3]}}, "with 3: architectures.pool.0: a layer is its Keras name"),
        (
            {"space": {"recipes.net.optimizer.learning_rate": [0.0, 0.0]}},
            "0.0 stands there twice: remove one",
        ),
        (
            {
                "space": {
                    "recipes.net.optimizer.learning_rate": [0.1, 0.2],
                    "recipes.net.optimizer": [{"name": "SGD", "learning_rate": 0.1}],
                }
            },
            "space.recipes.net.optimizer.learning_rate: lies in recipes.net.optimizer, which is tried as a whole",
        ),
        ({"space": {"seed": [1, 2]}}, "a lucky seed is no better recipe"),
        ({"space": {"datasets.dots": [1]}}, "give a path of the recipe or of its architecture"),
    ],
)
def test_what_does_not_fit_is_a_line_with_the_remedy(changes: dict[str, Any], line: str) -> None:
    (found,) = misfits(**changes)

    assert line in found


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"low": 1.0, "high": 0.1}, "an empty range, 1.0 to 0.1: give a low below the high"),
        ({"low": 0.0, "high": 0.1, "log": True}, "low: 0.0 has no logarithm: give more than 0, or remove log"),
        ({"low": 1, "high": 3, "step": 3}, "step: 3 is larger than the range, 1 to 3: give less"),
        ({"low": 1, "high": 3, "step": 1, "log": True}, "step: numbers by their logarithm have none"),
        ({"low": 1, "high": float("inf")}, "give a finite number"),
        ({"low": 1, "hihg": 3}, "unknown key 'hihg'"),
        ([], "give at least one"),
        (3, "give a list, not 3"),
    ],
)
def test_a_range_without_numbers_is_refused(change: Any, line: str) -> None:
    section = with_value(SEARCH, parse_path("space"), {"recipes.net.epochs": change})

    with pytest.raises(UserError, match=r"searches\.tune\.space\.recipes\.net\.epochs") as caught:
        validate(SearchSettings, section, "searches.tune")
    assert line in str(caught.value)


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"low": 2, "high": 4}, [2, 3, 4]),
        ({"low": 2, "high": 9, "step": 3}, [2, 5, 8]),
        ({"low": 0.1, "high": 0.3, "step": 0.1}, [0.1, 0.2, 0.3]),
        ({"low": 0.1, "high": 0.3}, None),
        ({"low": 1, "high": 8, "log": True}, None),
    ],
)
def test_numbers_with_a_step_can_be_counted(given: dict[str, Any], values: list[float] | None) -> None:
    # no 0.30000000000000004
    assert Range(**given).values == values
