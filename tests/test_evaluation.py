"""How sure a figure is, what a recipe has to beat, and which of two is better."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from image_recipes.baselines import predict_baselines
from image_recipes.comparison import (
    format_value,
    load_table,
    make_table,
    save_markdown,
    save_table,
)
from image_recipes.datasets import DatasetInfo, Subset
from image_recipes.dots import best_mse, predict_best, predict_by_inversion, throw
from image_recipes.errors import UserError
from image_recipes.evaluation import break_down, measure
from image_recipes.inspection import calibrate, find_worst
from image_recipes.pairs import choose_pairs, compare_pairs
from image_recipes.predictions import tabulate_predictions
from image_recipes.uncertainty import (
    bootstrap_intervals,
    correct_by_holm,
    mcnemar_test,
    paired_bootstrap_test,
    wilson_interval,
)


def classes_info(classes: int, shape: tuple[int, ...]) -> DatasetInfo:
    names = [str(number) for number in range(classes)]
    return DatasetInfo("classification", names, None, list(shape), {}, "test")


def tabulate(real: list[int], probabilities: list[list[float]], classes: list[str]) -> pd.DataFrame:
    return tabulate_predictions(np.arange(len(real)), np.array(real), np.array(probabilities, np.float32), classes)


def numbers(real: Sequence[float], predicted: Sequence[float]) -> pd.DataFrame:
    return pd.DataFrame({"index": range(len(real)), "real": real, "predicted": predicted})


def test_wilson_s_interval() -> None:
    # Newcombe (1998), table I, method 3, without continuity correction: 81 of 263, and 0 of 20
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def mean(values: np.ndarray, axis: int = -1) -> np.ndarray:
    return values.mean(axis)[np.newaxis]


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


def test_mcnemar_s_exact_test() -> None:
    # of 11 pictures that just one gets right, 1 and 10: 2 * (1 + 11) / 2^11
    assert mcnemar_test(1, 10) == pytest.approx(24 / 2048)
    assert mcnemar_test(10, 1) == pytest.approx(24 / 2048)
    assert mcnemar_test(0, 0) == 1.0


def test_a_paired_bootstrap_tells_a_difference_from_none() -> None:
    noise = np.random.default_rng(0).normal(size=400)
    differences = np.stack([noise + 0.5, noise - noise.mean(), 0 * noise], axis=1)

    p, low, high = paired_bootstrap_test(differences, 2_000, 0)

    assert p[0] == pytest.approx(2 / 2001)
    assert 0 < low[0] < differences[:, 0].mean() < high[0]
    # the interval of a mean of normal numbers
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * noise.std() / 20, rel=0.1)
    assert p[1] > 0.5
    assert p[2] == 1.0


def test_holm_s_correction() -> None:
    # Holm (1979): the smallest times m, the next times m - 1, and so on, never falling
    assert correct_by_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert correct_by_holm([0.9, 0.8]) == [1.0, 1.0]


def test_classes_are_measured() -> None:
    table = tabulate([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]], ["cat", "dog"])

    metrics = measure("classification", table, ["cat", "dog"], 0)

    assert metrics["accuracy"] == 0.75
    assert (metrics["accuracy_low"], metrics["accuracy_high"]) == pytest.approx(wilson_interval(3, 4), rel=1e-6)
    assert metrics["loss"] == pytest.approx(-np.log([0.9, 0.4, 0.7, 0.8]).mean(), rel=1e-6)
    # F1: cats 2/3, dogs 4/5
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    # each picture lies in a range of its own: |right - confidence|
    assert metrics["calibration_error"] == pytest.approx((0.1 + 0.6 + 0.3 + 0.2) / 4)
    # both dogs are more of a dog than both cats
    assert metrics["roc_auc"] == 1.0


def test_more_classes_have_no_roc_auc() -> None:
    table = tabulate([0, 1, 2], [[0.6, 0.2, 0.2]] * 3, ["a", "b", "c"])

    assert "roc_auc" not in measure("classification", table, ["a", "b", "c"], 0)


def test_classes_are_told_apart_one_by_one() -> None:
    table = tabulate([0, 0, 0, 1], [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]], ["a", "b", "c"])

    parts = break_down("classification", table, ["a", "b", "c"]).set_index("class")

    assert parts.loc[["a"]].to_numpy()[0] == pytest.approx([3, 1.0, 2 / 3, 0.8])
    assert parts.loc[["b"]].to_numpy()[0] == pytest.approx([1, 0.5, 1.0, 2 / 3])
    assert parts.loc["c", ["precision", "recall", "f1"]].isna().all()


def test_confidence_is_set_beside_accuracy() -> None:
    table = tabulate([0, 1, 0, 0], [[0.97, 0.03], [0.98, 0.02], [0.55, 0.45], [1.0, 0.0]], ["a", "b"])

    bins = calibrate(table)

    assert bins["pictures"].tolist() == [1, 3]
    assert bins["accuracy"].tolist() == pytest.approx([1.0, 2 / 3])
    assert bins["confidence"].tolist() == pytest.approx([0.55, (0.97 + 0.98 + 1.0) / 3])


def test_numbers_are_measured() -> None:
    table = numbers([0, 10, 20, 30] * 5, [1, 9, 22, 30] * 5)

    metrics = measure("regression", table, None, 0)

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


def test_what_is_undefined_is_left_out() -> None:
    metrics = measure("regression", numbers([3, 3], [3, 4]), None, 0)
    assert (metrics["r2"], metrics["r2_low"]) == (None, None)
    diverged = tabulate([0, 1], [[np.nan, np.nan]] * 2, ["a", "b"])
    metrics = measure("classification", diverged, ["a", "b"], 0)
    assert (metrics["loss"], metrics["roc_auc"], metrics["calibration_error"]) == (None, None, None)
    assert measure("regression", numbers([1, 2, 3], [np.nan] * 3), None, 0)["mse"] is None


def test_numbers_are_told_apart_by_their_range() -> None:
    real = list(range(101))
    table = numbers(real, [value + (5 if value > 90 else 0) for value in real])

    parts = break_down("regression", table, None)

    assert len(parts) == 10
    assert parts["pictures"].sum() == 101
    assert parts["bias"].tolist()[:9] == [0] * 9
    assert parts.iloc[9][["from", "to"]].tolist() == [90, 100]
    assert parts["mse"].iloc[9] == pytest.approx(25 * 10 / 11)


def test_the_worst_errors_have_the_largest_loss() -> None:
    table = tabulate([0, 0, 1, 1], [[0.1, 0.9], [0.4, 0.6], [0.6, 0.4], [0.0, 1.0]], ["a", "b"])

    worst = find_worst("classification", table, 2)
    assert worst["index"].tolist() == [0, 1]
    assert worst["loss"].tolist() == pytest.approx(-np.log([0.1, 0.4]))
    worst = find_worst("regression", numbers([1, 2, 3], [1.5, 9, 1]), 2)
    assert worst["index"].tolist() == [1, 2]
    assert worst["loss"].tolist() == [7, 2]


@pytest.fixture(scope="module")
def handwritten() -> dict[str, Subset]:
    """Real digits of 8x8 pixels, which scikit-learn brings."""
    digits = load_digits()
    images = (digits.images * 15.9).astype(np.uint8)[..., np.newaxis]
    parts = np.split(np.random.default_rng(0).permutation(len(images)), [1000, 1300])
    names = ["train", "validation", "test"]
    return {name: Subset(images, digits.target[part], part) for name, part in zip(names, parts, strict=True)}


def test_baselines_of_classes(handwritten: dict[str, Subset]) -> None:
    outputs = predict_baselines(classes_info(10, (8, 8, 1)), handwritten, 0)

    test = handwritten["test"].targets
    assert set(outputs) == {"majority", "linear"}
    shares = np.bincount(handwritten["train"].targets) / 1000
    np.testing.assert_allclose(outputs["majority"], np.tile(shares, (len(test), 1)))
    np.testing.assert_allclose(outputs["linear"].sum(axis=1), 1, rtol=1e-5)
    assert 0.93 < (outputs["linear"].argmax(axis=1) == test).mean() < 1


def test_baselines_of_numbers(handwritten: dict[str, Subset]) -> None:
    # the sum of the pixels is linear in them
    sums = {
        name: Subset(part.images, part.read().sum(axis=(1, 2, 3)).astype(np.float32), part.indices)
        for name, part in handwritten.items()
    }
    info = DatasetInfo("regression", None, "ink", [8, 8, 1], {}, "test")

    outputs = predict_baselines(info, sums, 0)

    assert outputs["mean"][:, 0] == pytest.approx(sums["train"].targets.mean())
    np.testing.assert_allclose(outputs["linear"][:, 0], sums["test"].targets, rtol=0.01)


def test_large_pictures_are_made_smaller_for_a_linear_model() -> None:
    # bright above or below; 200 pixels a side would be 120,000 features
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 60)
    images = rng.integers(0, 50, (60, 200, 190, 3), np.uint8)
    images[targets == 1, :100] += 100
    images[targets == 0, 100:] += 100
    parts = {"train": slice(0, 30), "validation": slice(30, 40), "test": slice(40, 60)}
    splits = {name: Subset(images, targets[part], np.arange(60)[part]) for name, part in parts.items()}

    outputs = predict_baselines(classes_info(2, images.shape[1:]), splits, 0)

    assert (outputs["linear"].argmax(axis=1) == targets[40:]).all()


def test_a_class_without_training_pictures_is_never_predicted() -> None:
    images = np.zeros((6, 4, 4, 1), np.uint8)
    images[3:] = 255
    targets = np.array([0, 0, 0, 2, 2, 2])
    everything = Subset(images, targets, np.arange(6))

    outputs = predict_baselines(
        classes_info(4, (4, 4, 1)), dict.fromkeys(["train", "validation", "test"], everything), 0
    )

    assert outputs["linear"].argmax(axis=1).tolist() == targets.tolist()
    assert (outputs["linear"][:, [1, 3]] == 0).all()


def test_one_class_alone_has_baselines_too() -> None:
    everything = Subset(np.zeros((3, 2, 2, 1), np.uint8), np.ones(3, int), np.arange(3))

    outputs = predict_baselines(
        classes_info(2, (2, 2, 1)), dict.fromkeys(["train", "validation", "test"], everything), 0
    )

    assert outputs["linear"].tolist() == [[0, 1]] * 3


def test_what_is_known_of_dots() -> None:
    assert best_mse(256) == pytest.approx(47.69, abs=0.005)
    images, throws = throw(np.random.default_rng(3), 50_000, 16)
    lit = np.count_nonzero(images, axis=(1, 2, 3))

    # pictures as they are drawn give the best predictor the expected score
    assert ((predict_best(lit, 256) - throws) ** 2).mean() == pytest.approx(best_mse(256), rel=0.03)
    assert best_mse(256) < ((predict_by_inversion(lit, 256) - throws) ** 2).mean() < 60
    # two cells, 0 or 1 throw: the picture tells all; large pictures do not overflow
    assert best_mse(2) == 0
    assert np.isfinite(predict_best(np.arange(1600), 1600)).all()


def test_a_pair_that_differs_and_one_that_does_not() -> None:
    real = [0] * 40
    good, bad = [[0.9, 0.1]] * 40, [[0.1, 0.9]] * 10 + [[0.9, 0.1]] * 30
    tables = {
        name: tabulate(real, probabilities, ["a", "b"])
        for name, probabilities in {"x": good, "y": bad, "z": good}.items()
    }

    pairs = compare_pairs("classification", tables, [("x", "y"), ("x", "z")], 0)

    assert pairs["only_first_right"].tolist() == [10, 0]
    assert pairs["p"].tolist() == pytest.approx([2 / 1024, 1.0], rel=1e-3)
    assert pairs["p_holm"].tolist() == pytest.approx([4 / 1024, 1.0], rel=1e-3)
    assert pairs["verdict"].tolist() == ["x is better than y", "no evidence of a difference at n = 40"]


def test_pairs_of_numbers() -> None:
    real = list(range(60))
    tables = {"near": numbers(real, [value + 1 for value in real]), "far": numbers(real, [value + 3 for value in real])}

    pairs = compare_pairs("regression", tables, [("far", "near")], 0)

    assert pairs["difference"].tolist() == [8.0]
    assert pairs["better"].tolist() == ["near"]
    assert pairs["verdict"].tolist() == ["near is better than far"]


def test_a_network_that_has_diverged_is_not_the_better_one() -> None:
    real = list(range(40))
    tables = {"good": numbers(real, [value + 1 for value in real]), "nan": numbers(real, [np.nan] * 40)}
    tables["inf"] = numbers(real, [np.inf] * 40)

    pairs = compare_pairs("regression", tables, [("good", "nan"), ("inf", "good"), ("nan", "inf")], 0)

    assert pairs["better"].tolist() == ["good", "good", ""]


def test_one_picture_says_nothing() -> None:
    pairs = compare_pairs("regression", {"x": numbers([1], [1]), "y": numbers([1], [9])}, [("x", "y")], 0)

    assert pairs["verdict"].tolist() == ["no evidence of a difference at n = 1"]


def test_different_test_pictures_are_not_compared() -> None:
    tables = {"x": numbers([1, 2], [1, 2]), "y": numbers([1, 3], [1, 2])}

    with pytest.raises(UserError, match="x and y cannot be compared: they were tested on different pictures"):
        compare_pairs("regression", tables, [("x", "y")], 0)


def test_every_recipe_meets_every_other_and_the_baselines_that_tell_something() -> None:
    assert choose_pairs(["a", "b"], ["mean", "linear", "best_possible"]) == [
        ("a", "b"),
        ("a", "baseline: linear"),
        ("a", "baseline: best_possible"),
        ("b", "baseline: linear"),
        ("b", "baseline: best_possible"),
    ]


def test_the_table_says_what_a_network_adds(tmp_path: Path) -> None:
    def metrics(accuracy: float) -> dict[str, float | None]:
        ends = {"test_accuracy_low": accuracy - 0.01, "test_accuracy_high": accuracy + 0.01}
        return {"test_accuracy": accuracy, "test_loss": 0.5, **ends}

    recipe = metrics(0.96) | {"parameters": 1234, "val_accuracy": 0.9, "val_loss": 1.0, "train_accuracy": 1.0}
    table = make_table("classification", {"net": recipe}, {"linear": metrics(0.92), "majority": metrics(0.12)}, {})
    save_table(table, tmp_path / "t.csv")
    save_markdown(table, tmp_path / "t.md")

    assert table["recipe"].tolist() == ["net", "baseline: majority", "baseline: linear"]
    assert table["error_to_linear"].tolist() == pytest.approx([0.5, 11.0, 1.0])
    line = (tmp_path / "t.md").read_text("utf-8").splitlines()[2]
    assert [cell.strip() for cell in line.strip("|").split("|")][:4] == [
        "net",
        "1,234",
        "0.9600 (0.9500 to 0.9700)",
        "0.50",
    ]
    assert load_table(tmp_path / "t.csv", "things")["parameters"].tolist() == [1234, pd.NA, pd.NA]
    with pytest.raises(UserError, match="dvc repro compare@things"):
        load_table(tmp_path / "none.csv", "things")


def test_values_are_rounded_for_reading() -> None:
    assert [format_value("p", value) for value in [0.0312, 1.0, 4.1e-9]] == ["0.031", "1", "4.1e-09"]
    # whatever the unit
    assert [format_value("test_mse", value) for value in [5422.71, 110.06, 0.0123456, 0.0]] == [
        "5,423",
        "110.1",
        "0.01235",
        "0",
    ]
    assert format_value("test_accuracy", 0.97) == "0.9700"
    assert format_value("pictures", np.int64(10_000)) == "10,000"
    assert format_value("parameters", pd.NA) == "-"
