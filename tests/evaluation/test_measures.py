"""How good predictions are: all figures of them, for which pictures, and where they are worst."""

import math

import numpy as np
import pytest

from image_recipes.core.dataset import load_info
from image_recipes.core.params import SPLIT_NAMES
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.evaluation.by_task import EVALUATION, score_task
from image_recipes.evaluation.intervals import wilson_interval
from image_recipes.evaluation.measures import (
    break_down_classes,
    break_down_numbers,
    count_number_confusions,
    measure_classes,
    measure_numbers,
    rank_class_errors,
    rank_number_errors,
    score_classes,
    score_numbers,
)
from image_recipes.results.metrics import load_metrics
from image_recipes.results.predictions import load_predictions
from predictions import of_classes, of_numbers
from projects import Project
from recipes import class_info, number_info

PETS = class_info((8, 8, 3), ["cat", "dog"])
LETTERS = class_info((8, 8, 3), ["a", "b", "c"])
GRAMS = number_info((8, 8, 3))


def test_classes_are_measured() -> None:
    table = of_classes([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]], ["cat", "dog"])

    metrics = measure_classes(table, PETS, 0)

    assert metrics["accuracy"] == 0.75
    assert (metrics["accuracy_low"], metrics["accuracy_high"]) == wilson_interval(3, 4)
    assert metrics["loss"] == pytest.approx(-np.log([0.9, 0.4, 0.7, 0.8]).mean(), rel=1e-6)
    # F1: cats 2/3, dogs 4/5
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    # each picture lies in a range of its own: |right - confidence|
    assert metrics["calibration_error"] == pytest.approx((0.1 + 0.6 + 0.3 + 0.2) / 4)
    # both dogs are more of a dog than both cats
    assert metrics["roc_auc"] == 1.0


def test_more_classes_have_no_roc_auc() -> None:
    table = of_classes([0, 1, 2], [[0.6, 0.2, 0.2]] * 3, ["a", "b", "c"])

    assert "roc_auc" not in measure_classes(table, LETTERS, 0)


def test_a_chance_of_nothing_for_the_real_class_has_a_finite_loss() -> None:
    table = of_classes([0, 1], [[0, 1], [0, 1]], ["cat", "dog"])

    loss = score_classes(table)["loss"]

    assert loss == pytest.approx(-np.log(np.finfo(np.float32).tiny) / 2)


def test_classes_are_told_apart_one_by_one() -> None:
    table = of_classes([0, 0, 0, 1], [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]], ["a", "b", "c"])

    parts = break_down_classes(table, LETTERS).set_index("class")

    assert parts.loc[["a"]].to_numpy()[0] == pytest.approx([3, 1.0, 2 / 3, 0.8])
    assert parts.loc[["b"]].to_numpy()[0] == pytest.approx([1, 0.5, 1.0, 2 / 3])
    assert parts.loc["c", ["precision", "recall", "f1"]].isna().all()


def test_numbers_are_measured() -> None:
    table = of_numbers([0, 10, 20, 30] * 5, [1, 9, 22, 30] * 5)

    metrics = measure_numbers(table, GRAMS, 0)

    assert metrics["mse"] == 1.5
    assert metrics["rmse"] == pytest.approx(1.5**0.5, rel=1e-6)
    assert metrics["mae"] == 1.0
    assert metrics["r2"] == pytest.approx(1 - 1.5 / 125)
    for name in ["mse", "rmse", "mae", "r2"]:
        low, value, high = (metrics[f"{name}{end}"] for end in ["_low", "", "_high"])
        assert low is not None
        assert value is not None
        assert high is not None
        assert low <= value <= high


def test_all_splits_have_the_same_figures_and_the_test_more() -> None:
    table = of_numbers([0, 10, 20], [1, 9, 22])

    assert score_numbers(table) == {name: measure_numbers(table, GRAMS, 0)[name] for name in ["mse", "mae", "r2"]}
    table = of_classes([0, 1], [[0.9, 0.1], [0.4, 0.6]], ["cat", "dog"])
    assert score_classes(table) == {name: measure_classes(table, PETS, 0)[name] for name in ["accuracy", "loss"]}


def test_the_main_metric_is_the_task_s() -> None:
    assert score_task(CLASSIFICATION, of_classes([0, 1], [[0.9, 0.1], [0.8, 0.2]], ["cat", "dog"])) == 0.5
    assert score_task(REGRESSION, of_numbers([1, 2], [1, 4])) == 2.0


def is_nan(value: float | None) -> bool:
    return value is not None and math.isnan(value)


def test_what_is_undefined_is_no_number() -> None:
    metrics = measure_numbers(of_numbers([3, 3], [3, 4]), GRAMS, 0)
    assert (metrics["r2"], metrics["r2_low"]) == (-math.inf, None)
    diverged = of_classes([0, 1], [[np.nan, np.nan]] * 2, ["cat", "dog"])
    metrics = measure_classes(diverged, PETS, 0)
    assert is_nan(metrics["loss"])
    assert is_nan(metrics["calibration_error"])
    assert metrics["roc_auc"] is None
    metrics = measure_numbers(of_numbers([1, 2, 3], [np.nan] * 3), GRAMS, 0)
    assert is_nan(metrics["mse"])
    assert (metrics["mse_low"], metrics["mse_high"]) == (None, None)


def test_numbers_are_told_apart_by_their_range() -> None:
    real = list(range(101))
    table = of_numbers(real, [value + (5 if value > 90 else 0) for value in real])

    parts = break_down_numbers(table, GRAMS)

    assert len(parts) == 10
    assert parts["pictures"].sum() == 101
    assert parts["bias"].tolist()[:9] == [0] * 9
    assert parts.iloc[9][["from", "to"]].tolist() == [90, 100]
    assert parts["mse"].iloc[9] == pytest.approx(25 * 10 / 11)


def test_the_worst_errors_have_the_largest_loss() -> None:
    table = of_classes([0, 0, 1, 1], [[0.1, 0.9], [0.4, 0.6], [0.8, 0.2], [0.0, 1.0]], ["cat", "dog"])

    worst = rank_class_errors(table)
    assert worst["index"].tolist() == [0, 2, 1]
    assert worst["loss"].tolist() == pytest.approx(-np.log([0.1, 0.2, 0.4]))
    worst = rank_number_errors(of_numbers([1, 2, 3], [1.5, 9, 1]))
    assert worst["index"].tolist() == [1, 2, 0]
    assert worst["loss"].tolist() == [7, 2, 0.5]


@pytest.mark.parametrize(("recipe", "dataset"), [("tiny_class", "mnist"), ("tiny_number", "dots")])
def test_a_recipe_s_metrics_are_those_of_its_predictions(recipe: str, dataset: str, finished: Project) -> None:
    info = load_info(finished.root / f"data/prepared/{dataset}")
    metrics = load_metrics(finished.root / f"metrics/{dataset}", [recipe], info.task)[recipe]
    file = finished.root / f"data/predictions/{dataset}/{recipe}.csv"

    for split, prefix in zip(SPLIT_NAMES, ["train", "val", "test"], strict=True):
        for name, value in EVALUATION[info.task].score(load_predictions(file, info, split)).items():
            # the loss is that of the network's own outputs, not of calibrated ones
            if (info.task, name) != (CLASSIFICATION, "loss"):
                assert metrics[f"{prefix}_{name}"] == pytest.approx(value, rel=1e-6), (split, name)


def test_numbers_are_counted_by_their_ranges() -> None:
    table = count_number_confusions(of_numbers([0, 0, 5, 10, 10], [0.5, 7.2, -3, 99, np.nan]), GRAMS)

    assert table.to_numpy().tolist() == [[0, 1, 0, 1, 1], [0, 1, 7, 8, 1], [5, 6, 0, 1, 1], [9, 10, 9, 10, 1]]
    assert list(table) == ["real_from", "real_to", "predicted_from", "predicted_to", "pictures"]
