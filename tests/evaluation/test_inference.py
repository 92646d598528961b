"""Predicting the pictures of a split: in order, and exactly enough to compute a loss from."""

import numpy as np
import pytest

from image_recipes.core.dataset import Subset
from image_recipes.core.tasks import REGRESSION
from image_recipes.evaluation.inference import MOST_FEATURES, predict, predict_and_judge
from image_recipes.evaluation.measures import score_classes
from image_recipes.models.backend import keras
from image_recipes.models.embedding import add_embedding
from image_recipes.models.recipe import HEAD
from image_recipes.models.reliability import Familiarity, Reliability
from image_recipes.results.predictions import tabulate_predictions
from recipes import class_info


def test_a_loss_is_exact_where_a_probability_is_tiny() -> None:
    # Keras's metric of the same name cuts probabilities off at 1e-7
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, activation="softmax", use_bias=False)])
    model.set_weights([np.array([[30.0, 0.0]], np.float32)])
    pictures = Subset(np.ones((4, 1), np.uint8), np.array([1, 1, 1, 0]), np.arange(4))

    outputs = predict(model, pictures)

    assert outputs.shape == (4, 2)
    scores = score_classes(tabulate_predictions(pictures, outputs, class_info([1, 1, 1])))
    assert scores == {"accuracy": 0.25, "loss": pytest.approx(22.5)}


def test_predictions_are_in_the_order_of_the_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("image_recipes.models.feeding.EVALUATION_BYTES", 0)  # 32 pictures a batch
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[2.0]], np.float32)])
    order = np.random.default_rng(0).permutation(100)[:70]

    outputs = predict(model, Subset(np.arange(100, dtype=np.uint8)[:, None], order, order))

    assert outputs[:, 0].tolist() == (2 * order).tolist()


@pytest.mark.parametrize("width", [5, MOST_FEATURES + 9])
def test_features_come_with_the_same_predictions_in_bounded_memory(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setattr("image_recipes.models.feeding.EVALUATION_BYTES", 0)  # 32 pictures a batch
    monkeypatch.setattr("image_recipes.models.embedding.EMBEDDING_BYTES", 0)  # a batch at once
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Dense(width, name="last"), keras.layers.Dense(2, name=HEAD)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    images = np.random.default_rng(0).integers(0, 256, (100, 3), dtype=np.uint8)
    order = np.random.default_rng(0).permutation(100)[:70]
    pictures = Subset(images, order, order)

    familiarity = Familiarity(np.zeros(width), np.eye(1, width), np.ones(1), 1.0, np.inf)
    reliability = Reliability(1.0, np.zeros(9, np.float32), familiarity)
    outputs, judgement, features = predict_and_judge(add_embedding(model), reliability, pictures, REGRESSION)

    np.testing.assert_array_equal(outputs, predict(model, pictures))
    np.testing.assert_array_equal(judgement.outputs, outputs)
    assert judgement.unfamiliar.tolist() == [False] * 70
    assert features.dtype == np.float32
    seen = keras.Model(model.inputs, model.get_layer("last").output).predict(images[order], verbose=0)
    if width <= MOST_FEATURES:
        np.testing.assert_allclose(features, seen, rtol=1e-5, atol=1e-6)
    else:
        # distances are kept, about
        assert features.shape == (70, MOST_FEATURES)
        ratio = np.linalg.norm(features[1:] - features[0], axis=1) / np.linalg.norm(seen[1:] - seen[0], axis=1)
        assert 0.8 < ratio.min() <= ratio.max() < 1.2
