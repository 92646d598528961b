"""Which labels are probably wrong: those changed on purpose, and hardly any other."""

import numpy as np
import pytest

from image_recipes.evaluation.out_of_fold import predict_classes_by_folds, predict_numbers_by_folds
from image_recipes.evaluation.suspects import (
    choose_judges,
    count_judged,
    find_class_suspects,
    find_number_suspects,
)
from recipes import class_info, number_info

RNG = np.random.default_rng(1)
NAMES = ["birch", "maple", "oak"]
CLASSES, NUMBERS = class_info([8, 8, 1], NAMES), number_info([8, 8, 1])
COUNT, CHANGED = 400, 20
TRUE = RNG.integers(0, 3, COUNT)
FEATURES = (RNG.normal(size=(COUNT, 20)) + 6 * np.eye(3, 20)[TRUE]).astype(np.float32)
WRONG = RNG.choice(COUNT, CHANGED, replace=False)
GIVEN = TRUE.copy()
GIVEN[WRONG] = (TRUE[WRONG] + RNG.integers(1, 3, CHANGED)) % 3
ALONE = np.arange(COUNT)


def by_folds(features: np.ndarray = FEATURES, given: np.ndarray = GIVEN) -> np.ndarray:
    return predict_classes_by_folds(features, given, ALONE, CLASSES)


def test_changed_labels_come_first() -> None:
    table = find_class_suspects(GIVEN, [by_folds()], CLASSES)

    first = table.head(CHANGED)
    found = set(first["position"]) & set(WRONG)
    assert len(found) >= 0.8 * CHANGED
    assert CHANGED * 0.8 <= len(table) <= CHANGED * 1.3
    changed = first[first["position"].isin(WRONG)]
    places = changed["position"].to_numpy()
    assert changed["label"].tolist() == [NAMES[kind] for kind in GIVEN[places]]
    assert changed["suggested"].tolist() == [NAMES[kind] for kind in TRUE[places]]
    assert table["doubt"].is_monotonic_decreasing
    assert table["doubt"].between(0, 1).all()
    assert set(table["doubted_by"]) <= {0, 1}


def test_of_clean_labels_few_are_suspicious() -> None:
    assert len(find_class_suspects(TRUE, [by_folds(given=TRUE)], CLASSES)) <= 0.02 * COUNT


def test_a_recipe_that_learned_nothing_hides_no_wrong_label() -> None:
    nothing = by_folds(np.zeros((COUNT, 5), np.float32))

    table = find_class_suspects(GIVEN, [by_folds(), nothing], CLASSES)

    assert len(set(table.head(CHANGED)["position"]) & set(WRONG)) >= 0.8 * CHANGED


def test_what_every_recipe_doubts_comes_before_what_one_doubts() -> None:
    # of oak there is one picture that both take for birch, and one that the first alone takes for birch
    sure = np.tile([[0.0, 0.0, 1.0]], (10, 1))
    one, other = sure.copy(), sure.copy()
    one[[3, 6]] = other[6] = [0.9, 0.0, 0.1]
    others = np.tile([[0.8, 0.1, 0.1]], (10, 1))
    labels = np.repeat([2, 0], 10)

    table = find_class_suspects(labels, [np.concatenate([one, others]), np.concatenate([other, others])], CLASSES)

    assert table["position"].tolist() == [6]
    assert table[["label", "suggested", "doubted_by"]].to_numpy().tolist() == [["oak", "birch", 2]]
    assert table["doubt"].tolist() == [pytest.approx(0.9)]


def test_pictures_that_nothing_is_said_of_are_passed_over() -> None:
    outputs = by_folds()
    outputs[WRONG[0]] = np.nan

    table = find_class_suspects(GIVEN, [outputs, by_folds()], CLASSES)

    assert WRONG[0] not in table["position"].tolist()
    assert set(table.head(CHANGED - 1)["position"]) & set(WRONG[1:])
    assert count_judged({"one": outputs, "other": by_folds()}) == COUNT - 1


def test_recipes_that_have_diverged_are_left_out() -> None:
    diverged = np.full((COUNT, 3), np.nan)

    assert list(choose_judges({"good": by_folds(), "bad": diverged})) == ["good"]
    assert choose_judges({"bad": diverged}) == {}
    assert count_judged({}) == 0
    for table in [find_class_suspects(GIVEN, [], CLASSES), find_number_suspects(GIVEN, [], NUMBERS)]:
        assert table.columns.tolist() == ["position", "label", "suggested", "doubt", "doubted_by"]
        assert not len(table)


def test_a_dataset_of_one_class_has_no_suspects() -> None:
    assert not len(find_class_suspects(np.zeros(5, int), [np.ones((5, 1))], class_info([8, 8, 1], ["only"])))


def test_numbers_far_out_come_first() -> None:
    true = (10 * FEATURES[:, 0] + RNG.normal(size=COUNT)).astype(np.float32)
    given = true.copy()
    given[WRONG] += np.where(RNG.random(CHANGED) < 0.5, -1, 1) * RNG.uniform(20, 60, CHANGED).astype(np.float32)
    good = predict_numbers_by_folds(FEATURES, given, ALONE, NUMBERS)
    poor = predict_numbers_by_folds(RNG.normal(size=(COUNT, 5)).astype(np.float32), given, ALONE, NUMBERS)

    table = find_number_suspects(given, [good, poor], NUMBERS)

    assert set(table.head(CHANGED)["position"]) == set(WRONG)
    assert len(table) <= CHANGED + 4
    assert (table["doubt"] > 3.5).all()
    assert table["doubt"].is_monotonic_decreasing
    np.testing.assert_allclose(table["label"], given[table["position"]])
    assert np.abs(table["suggested"].head(CHANGED) - true[table["position"].head(CHANGED)]).max() < 12
    # only the one that learned something is sure
    assert (table["doubted_by"].head(CHANGED) >= 1).all()


@pytest.mark.filterwarnings("error")
def test_constant_numbers_have_no_suspects() -> None:
    given = np.full(COUNT, 0.1, np.float32)

    assert not len(find_number_suspects(given, [predict_numbers_by_folds(FEATURES, given, ALONE, NUMBERS)], NUMBERS))
