"""What came of a recipe, in words: better, as good as a simpler model, or nothing learned."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from image_recipes.comparison.pairs import choose_pairs, compare_pairs
from image_recipes.comparison.verdict import (
    MOST_TOLD,
    WHERE_TO_LOOK,
    Outcome,
    Verdict,
    choose_best,
    judge_recipes,
    tell_verdicts,
)
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.results.metrics import Metrics, prefix_metrics
from image_recipes.results.tables import BASELINE
from predictions import of_classes, of_numbers
from recipes import class_info, number_info

CLASSES = ["birch", "oak"]
# 50 birches and 40 oaks
REAL = [0] * 50 + [1] * 40


def right_for(*pictures: int) -> pd.DataFrame:
    """Predict classes, rightly for so many of the birches and of the oaks."""
    birches, oaks = pictures
    predicted = [0] * birches + [1] * (50 - birches) + [1] * oaks + [0] * (40 - oaks)
    return of_classes(REAL, np.eye(2)[predicted], CLASSES)


def judge(
    info: DatasetInfo, recipes: Mapping[str, pd.DataFrame], baselines: Mapping[str, pd.DataFrame]
) -> dict[str, Verdict]:
    """Judge predictions as the stages do."""

    def measure(tables: Mapping[str, pd.DataFrame]) -> dict[str, Metrics]:
        measured = {name: EVALUATION[info.task].measure(rows, info, 0) for name, rows in tables.items()}
        # in a file, what is not finite is null
        finite = {
            name: {key: value if value is not None and np.isfinite(value) else None for key, value in values.items()}
            for name, values in measured.items()
        }
        return {name: prefix_metrics("test", values) for name, values in finite.items()}

    predictions = {**recipes, **{BASELINE + name: rows for name, rows in baselines.items()}}
    pairs = compare_pairs(info.task, predictions, choose_pairs([*recipes], baselines), 0)
    return judge_recipes(info, measure(recipes), measure(baselines), baselines, pairs)


def judge_classes(recipe: pd.DataFrame, linear: pd.DataFrame) -> Verdict:
    baselines = {"linear": linear, "majority": right_for(50, 0)}
    return judge(class_info((1, 1, 1), CLASSES), {"net": recipe}, baselines)["net"]


@pytest.mark.parametrize(
    ("recipe", "linear", "said", "outcome"),
    [
        (
            right_for(48, 38),
            right_for(40, 25),
            "right for 95.6 % of 90 test pictures (95 % interval: 89.1 to 98.3 %), "
            "better than logistic regression (72.2 %), p (Holm) < 0.001",
            Outcome.BETTER,
        ),
        # the linear model is worse than no model
        (right_for(40, 40), right_for(20, 20), "better than always answering birch (55.6 %), p (H", Outcome.BETTER),
        (
            right_for(40, 30),
            right_for(40, 28),
            ", no better than logistic regression (75.6 %) as far as the test can show: a simpler model does as well",
            Outcome.SIMPLER,
        ),
        (
            right_for(40, 27),
            right_for(50, 40),
            ", worse than logistic regression (100.0 %), p (Holm) < 0.001: a simpler model does better",
            Outcome.SIMPLER,
        ),
        (
            right_for(30, 22),
            right_for(28, 22),
            "right for 57.8 % of 90 test pictures (95 % interval: 47.5 to 67.5 %), no better than always answering "
            "birch (55.6 %): nothing was learned that the test can show",
            Outcome.NOTHING,
        ),
        (right_for(50, 0), right_for(28, 22), "no better than always answering birch (55.6 %): noth", Outcome.NOTHING),
        (
            right_for(30, 22),
            right_for(45, 40),
            ", no better than always answering birch (55.6 %) and worse than logistic regression (94.4 %): "
            "nothing was learned that the test can show",
            Outcome.NOTHING,
        ),
        (right_for(10, 10), right_for(50, 40), "worse than always answering birch (55.6 %), p (Holm)", Outcome.NOTHING),
        (right_for(10, 10), right_for(50, 40), "unless to find the rare classes counts more than acc", Outcome.NOTHING),
    ],
)
def test_classes(recipe: pd.DataFrame, linear: pd.DataFrame, said: str, outcome: Outcome) -> None:
    verdict = judge_classes(recipe, linear)

    assert said in str(verdict)
    assert verdict.outcome is outcome


def test_shuffled_labels_teach_nothing() -> None:
    # of many networks that have learned another order of the labels, as many as chance allows are called better
    rng = np.random.default_rng(0)
    outcomes = []
    for _ in range(30):
        guesses = [of_classes(REAL, np.eye(2)[rng.permutation(REAL)], CLASSES) for _ in range(2)]
        outcomes.append(judge_classes(*guesses).outcome)

    assert outcomes.count(Outcome.NOTHING) >= 28


def test_numbers() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(100, 20, 200)
    off = rng.normal(0, 1, 200)

    def predicted(values: np.ndarray) -> pd.DataFrame:
        return of_numbers(real.tolist(), values.tolist())

    baselines = {
        "linear": predicted(real + 10 * off),
        "mean": predicted(np.full(200, 100)),
        "best_possible": predicted(real),
    }
    recipes = {
        "good": predicted(real + 4 * rng.permutation(off)),
        "simple": predicted(real + 10 * rng.permutation(off)),
        "shuffled": predicted(100 + rng.permutation(real - 100) / 20),
        "constant": baselines["mean"],
        "diverged": predicted(np.full(200, np.nan)),
    }

    verdicts = judge(number_info((1, 1, 1), "cm"), recipes, baselines)

    said = {name: str(verdict) for name, verdict in verdicts.items()}
    # what no predictor can do better than is nothing to beat
    assert "off by 3.265 cm on average over 200 test pictures, R² 0.954 (95 % interval: 0." in said["good"]
    assert ", better than ridge regression (R² 0.713), p (Holm) = 0.0" in said["good"]
    assert "no better than ridge regression (R² 0.713) as far as the test can show" in said["simple"]
    for name in ["shuffled", "constant"]:
        assert said[name].endswith(
            "no better than always answering the mean (R² 0.000) and worse than ridge regression (R² 0.713): "
            "nothing was learned that the test can show"
        )
    assert said["diverged"].startswith(
        "off by an infinite amount over 200 test pictures, since training has diverged, "
        "worse than always answering the mean (R² 0.000), p (Holm) "
    )


def test_one_picture_and_numbers_that_are_all_the_same_are_no_reason_to_stop() -> None:
    for count in [1, 5]:
        tables = [of_numbers([2] * count, [value] * count) for value in (1, 2, 3)]
        baselines = {"linear": tables[1], "mean": tables[2]}

        (verdict,) = judge(number_info((1, 1, 1)), {"net": tables[0]}, baselines).values()

        assert str(verdict).startswith(f"off by 1.000 g on average over {count} test pictures, MSE 1.000, ")
        assert verdict.outcome is Outcome.NOTHING


def test_test_pictures_of_one_class_tell_nothing() -> None:
    tables = [of_classes([0] * 5, np.eye(2)[[predicted] * 5], CLASSES) for predicted in (0, 0, 0)]

    (verdict,) = judge(
        class_info((1, 1, 1), CLASSES), {"net": tables[0]}, {"linear": tables[1], "majority": tables[2]}
    ).values()

    assert "right for 100.0 % of 5 test pictures" in str(verdict)
    assert "no better than always answering birch (100.0 %): nothing was learned that the test can show" in str(verdict)


def test_a_baseline_that_there_is_not_is_passed_over() -> None:
    info = class_info((1, 1, 1), CLASSES)

    (beside_one,) = judge(info, {"net": right_for(48, 38)}, {"linear": right_for(40, 25)}).values()
    figures = {"net": prefix_metrics("test", EVALUATION[CLASSIFICATION].measure(right_for(48, 38), info, 0))}
    pairs = pd.DataFrame({"first": ["net"], "second": ["old"], "pictures": [90], "p_holm": [1.0], "better": [""]})
    (beside_none,) = judge_recipes(info, figures, {}, {}, pairs).values()

    assert "better than logistic regression (72.2 %)" in str(beside_one)
    assert str(beside_none) == "right for 95.6 % of 90 test pictures (95 % interval: 89.1 to 98.3 %)"


def tell(outcomes: Sequence[Outcome], best: str) -> list[str]:
    examples = {
        Outcome.BETTER: judge_classes(right_for(48, 38), right_for(40, 25)),
        Outcome.SIMPLER: judge_classes(right_for(40, 30), right_for(40, 28)),
        Outcome.NOTHING: judge_classes(right_for(30, 22), right_for(28, 22)),
    }
    return tell_verdicts({f"net{number}": examples[outcome] for number, outcome in enumerate(outcomes)}, best)


def test_a_few_recipes_are_a_line_each() -> None:
    assert len(tell([Outcome.BETTER], "net0")) == 1
    assert tell([Outcome.NOTHING], "net0")[1:] == [f"what to look at next: {WHERE_TO_LOOK}"]

    lines = tell([Outcome.SIMPLER, Outcome.BETTER], "net1")

    assert [line.partition(":")[0] for line in lines] == ["net0", "net1", "best on the validation pictures"]
    assert lines[2].startswith("best on the validation pictures: net1, right for 95.6 % of 90 test pictures")


def test_of_many_recipes_the_best_and_the_failures_are_told() -> None:
    lines = tell([Outcome.BETTER] * 40 + [Outcome.SIMPLER] * 3 + [Outcome.NOTHING] * 12, "net7")

    assert lines[0] == (
        "55 recipes: 40 better than the best baseline, 3 no better than a simpler model, "
        "12 learned nothing that the test can show"
    )
    assert [line.partition(":")[0] for line in lines[1 : MOST_TOLD + 1]] == [f"net{n}" for n in range(43, 51)]
    assert lines[MOST_TOLD + 1] == "and 4 more that learned nothing"
    assert lines[-2].startswith("best on the validation pictures: net7: right for 95.6 %")
    assert len(lines) == MOST_TOLD + 4


def test_the_best_is_chosen_by_the_validation_pictures() -> None:
    metrics: dict[str, Metrics] = {
        "a": {"val_accuracy": 0.8, "test_accuracy": 0.99},
        "b": {"val_accuracy": 0.9, "test_accuracy": 0.1},
        "c": {"val_accuracy": None, "test_accuracy": 1.0},
    }

    assert choose_best(CLASSIFICATION, metrics) == "b"


def test_of_equal_recipes_the_one_of_the_least_loss_is_the_best() -> None:
    metrics: dict[str, Metrics] = {
        "a": {"val_accuracy": 1.0, "val_loss": 0.042},
        "b": {"val_accuracy": 1.0, "val_loss": 0.018},
        "c": {"val_accuracy": 1.0, "val_loss": None},
    }

    assert choose_best(CLASSIFICATION, metrics) == "b"
