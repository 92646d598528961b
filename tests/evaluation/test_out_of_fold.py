"""What features say of a label that was not learned from."""

import numpy as np
import pytest

from image_recipes.core.dataset import DatasetInfo
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.evaluation.out_of_fold import predict_classes_by_folds, predict_numbers_by_folds
from recipes import class_info, number_info

RNG = np.random.default_rng(0)
NAMES = ["birch", "maple", "oak"]
CLASSES, NUMBERS = class_info([8, 8, 1], NAMES), number_info([8, 8, 1])
KINDS = np.arange(150) % 3
SEPARATE = (RNG.normal(size=(150, 20)) + 4 * np.eye(3, 20)[KINDS]).astype(np.float32)
ALONE = np.arange(150)


def test_classes_that_features_separate_are_told_apart() -> None:
    probabilities = predict_classes_by_folds(SEPARATE, KINDS, ALONE, CLASSES)

    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (probabilities.argmax(axis=1) == KINDS).mean() > 0.97
    np.testing.assert_array_equal(probabilities, predict_classes_by_folds(SEPARATE, KINDS, ALONE, CLASSES))


def test_a_label_does_not_teach_what_is_said_of_it() -> None:
    # features of chance, each a picture's own: what learns from a picture would know its label
    features = RNG.normal(size=(60, 100)).astype(np.float32)

    probabilities = predict_classes_by_folds(features, KINDS[:60], ALONE[:60], CLASSES)

    assert (probabilities.argmax(axis=1) == KINDS[:60]).mean() < 0.55


def test_near_duplicates_do_not_vouch_for_each_other() -> None:
    features = RNG.normal(size=(60, 100)).astype(np.float32)
    twins, labels, groups = np.repeat(features, 2, axis=0), np.repeat(KINDS[:60], 2), np.repeat(ALONE[:60], 2)

    alone = predict_classes_by_folds(twins, labels, np.arange(120), CLASSES)
    together = predict_classes_by_folds(twins, labels, groups, CLASSES)

    assert (alone.argmax(axis=1) == labels).mean() > 0.8
    assert (together.argmax(axis=1) == labels).mean() < 0.55


def test_numbers_that_features_tell_are_found() -> None:
    numbers = (3 * SEPARATE[:, 5] - SEPARATE[:, 7] + 100).astype(np.float32)

    predicted = predict_numbers_by_folds(SEPARATE, numbers, ALONE, NUMBERS)

    assert predicted.shape == (150, 1)
    assert np.abs(predicted[:, 0] - numbers).max() < 0.1


def test_a_class_of_a_single_picture_is_not_judged() -> None:
    labels = KINDS.copy()
    labels[labels == 2] = 0
    labels[7] = 2

    probabilities = predict_classes_by_folds(SEPARATE, labels, ALONE, CLASSES)

    assert np.flatnonzero(np.isnan(probabilities).any(axis=1)).tolist() == [7]


def test_classes_of_two_pictures_are_learned_from_the_other_one() -> None:
    # 300 of them, more than a fold has pictures of any
    labels = np.repeat(np.arange(300), 2)
    features = (RNG.normal(size=(600, 300)) * 0.01 + 5 * np.eye(300)[labels]).astype(np.float32)
    info = class_info([8, 8, 1], [f"kind {number}" for number in range(300)])

    probabilities = predict_classes_by_folds(features, labels, np.arange(600), info)

    assert probabilities.shape == (600, 300)
    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize("info", [CLASSES, NUMBERS], ids=["classes", "numbers"])
@pytest.mark.filterwarnings("error")
def test_what_can_teach_nothing_says_nothing(info: DatasetInfo) -> None:
    predict = EVALUATION[info.task].predict_by_folds
    labels = KINDS if info is CLASSES else KINDS.astype(np.float32)
    diverged = SEPARATE.copy()
    diverged[3, 2] = np.nan

    assert np.isnan(predict(diverged, labels, ALONE, info)).all()
    assert np.isnan(predict(SEPARATE, labels, np.zeros(150, int), info)).all()
    # a network whose units are all dead: only how frequent each answer is remains
    dead = predict(np.zeros((150, 6), np.float32), labels, ALONE, info)
    assert np.isfinite(dead).all()
    assert np.ptp(dead, axis=0).max() < 0.1
