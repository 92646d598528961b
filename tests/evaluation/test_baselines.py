"""What a recipe has to beat: models without a network, on real digits and on made pictures."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from image_recipes.core.dataset import Subset
from image_recipes.evaluation.baselines import predict_class_baselines, predict_number_baselines
from recipes import class_info, number_info


def names(classes: int) -> list[str]:
    return [str(number) for number in range(classes)]


@pytest.fixture(scope="module")
def handwritten() -> dict[str, Subset]:
    """Real digits of 8x8 pixels, which scikit-learn brings."""
    digits = load_digits()
    images = (digits.images * 15.9).astype(np.uint8)[..., np.newaxis]
    parts = np.split(np.random.default_rng(0).permutation(len(images)), [1000, 1300])
    splits = ["train", "validation", "test"]
    return {name: Subset(images, digits.target[part], part) for name, part in zip(splits, parts, strict=True)}


def test_baselines_of_classes(handwritten: dict[str, Subset]) -> None:
    outputs = predict_class_baselines(class_info((8, 8, 1), names(10)), handwritten, 0)

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

    outputs = predict_number_baselines(number_info((8, 8, 1), "ink"), sums, 0)

    assert set(outputs) == {"mean", "linear"}
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

    outputs = predict_class_baselines(class_info(images.shape[1:], names(2)), splits, 0)

    assert (outputs["linear"].argmax(axis=1) == targets[40:]).all()


def test_a_class_without_training_pictures_is_never_predicted() -> None:
    images = np.zeros((6, 4, 4, 1), np.uint8)
    images[3:] = 255
    targets = np.array([0, 0, 0, 2, 2, 2])
    everything = dict.fromkeys(["train", "validation", "test"], Subset(images, targets, np.arange(6)))

    outputs = predict_class_baselines(class_info((4, 4, 1), names(4)), everything, 0)

    assert outputs["linear"].argmax(axis=1).tolist() == targets.tolist()
    assert (outputs["linear"][:, [1, 3]] == 0).all()


def test_one_class_alone_has_baselines_too() -> None:
    pictures = Subset(np.zeros((3, 2, 2, 1), np.uint8), np.ones(3, int), np.arange(3))
    everything = dict.fromkeys(["train", "validation", "test"], pictures)

    outputs = predict_class_baselines(class_info((2, 2, 1), names(2)), everything, 0)

    assert outputs["linear"].tolist() == [[0, 1]] * 3
