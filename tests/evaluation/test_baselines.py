"""What a recipe has to beat: models without a network, on real digits and on made pictures."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_info

from image_recipes.core.dataset import Subset
from image_recipes.evaluation import baselines
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
    np.testing.assert_allclose(outputs["majority"][0], np.tile(shares, (len(test), 1)))
    np.testing.assert_allclose(outputs["linear"][0].sum(axis=1), 1, rtol=1e-5)
    assert 0.93 < (outputs["linear"][0].argmax(axis=1) == test).mean() < 1


def test_baselines_of_numbers(handwritten: dict[str, Subset]) -> None:
    # the sum of the pixels is linear in them
    sums = {
        name: Subset(part.images, part.read().sum(axis=(1, 2, 3)).astype(np.float32), part.indices)
        for name, part in handwritten.items()
    }

    outputs = predict_number_baselines(number_info((8, 8, 1), "ink"), sums, 0)

    assert set(outputs) == {"mean", "linear"}
    assert outputs["mean"][0][:, 0] == pytest.approx(sums["train"].targets.mean())
    np.testing.assert_allclose(outputs["linear"][0][:, 0], sums["test"].targets, rtol=0.01)


def choose_plainly(handwritten: dict[str, Subset], models: list) -> np.ndarray:
    """Fit scikit-learn's models on the plain pixels, and predict the test pictures by the best on validation."""
    rows = {name: part.read().reshape(len(part), -1) / 255 for name, part in handwritten.items()}
    for model in models:
        model.fit(rows["train"], handwritten["train"].targets)
    best = max(models, key=lambda model: model.score(rows["validation"], handwritten["validation"].targets))
    return best.predict_proba(rows["test"]) if hasattr(best, "predict_proba") else best.predict(rows["test"])


def test_the_linear_models_are_those_of_all_pixels(handwritten: dict[str, Subset]) -> None:
    plain = [LogisticRegression(C=c, tol=1e-6, max_iter=2000) for c in baselines.LOGISTIC_C]
    probabilities, reduced = predict_class_baselines(class_info((8, 8, 1), names(10)), handwritten, 0)["linear"]
    np.testing.assert_allclose(probabilities, choose_plainly(handwritten, plain), atol=0.01)
    assert reduced == {}

    numbers, reduced = predict_number_baselines(number_info((8, 8, 1)), handwritten, 0)["linear"]
    ridges = [Ridge(alpha) for alpha in baselines.RIDGE_ALPHA]
    np.testing.assert_allclose(numbers[:, 0], choose_plainly(handwritten, ridges), atol=1e-3)
    assert reduced == {}


def test_the_work_is_bounded_and_what_was_left_out_is_told(
    handwritten: dict[str, Subset], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[tuple[int, ...]] = []

    class Watched(LogisticRegression):
        def fit(self, features: np.ndarray, targets: np.ndarray) -> LogisticRegression:
            fitted.append(features.shape)
            return super().fit(features, targets)

    monkeypatch.setattr(baselines, "LogisticRegression", Watched)
    monkeypatch.setattr(baselines, "MAX_PICTURES", 500)
    monkeypatch.setattr(baselines, "MAX_VALUES", 500 * 20)
    info = class_info((8, 8, 1), names(10))

    probabilities, reduced = predict_class_baselines(info, handwritten, 0)["linear"]

    assert fitted == [(500, 20)] * len(baselines.LOGISTIC_C)
    assert reduced == {"fitted_pictures": 500, "all_pictures": 1000, "fitted_features": 20, "all_features": 64}
    assert (probabilities.argmax(axis=1) == handwritten["test"].targets).mean() > 0.9
    again, _ = predict_class_baselines(info, handwritten, 0)["linear"]
    np.testing.assert_array_equal(again, probabilities)


def test_blas_has_one_thread_while_linear_models_are_fitted(
    handwritten: dict[str, Subset], monkeypatch: pytest.MonkeyPatch
) -> None:
    # more of them spend seven times the CPU seconds, and round as their number says
    threads: list[int] = []

    class Watched(Ridge):
        def fit(self, features: np.ndarray, targets: np.ndarray) -> Ridge:
            threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
            return super().fit(features, targets)

    monkeypatch.setattr(baselines, "Ridge", Watched)
    predict_number_baselines(number_info((8, 8, 1)), handwritten, 0)

    assert set(threads) == {1}


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

    assert (outputs["linear"][0].argmax(axis=1) == targets[40:]).all()
    assert outputs["linear"][1] == {"fitted_features": 29 * 28 * 3, "all_features": 200 * 190 * 3}


def test_a_class_without_training_pictures_is_never_predicted() -> None:
    images = np.zeros((6, 4, 4, 1), np.uint8)
    images[3:] = 255
    targets = np.array([0, 0, 0, 2, 2, 2])
    everything = dict.fromkeys(["train", "validation", "test"], Subset(images, targets, np.arange(6)))

    outputs = predict_class_baselines(class_info((4, 4, 1), names(4)), everything, 0)

    assert outputs["linear"][0].argmax(axis=1).tolist() == targets.tolist()
    assert (outputs["linear"][0][:, [1, 3]] == 0).all()


def test_one_class_alone_has_baselines_too() -> None:
    pictures = Subset(np.zeros((3, 2, 2, 1), np.uint8), np.ones(3, int), np.arange(3))
    everything = dict.fromkeys(["train", "validation", "test"], pictures)

    outputs = predict_class_baselines(class_info((2, 2, 1), names(2)), everything, 0)

    assert outputs["linear"][0].tolist() == [[0, 1]] * 3
