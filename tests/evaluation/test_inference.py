"""Predicting the pictures of a split: in order, and exactly enough to compute a loss from."""

import numpy as np
import pytest

from image_recipes.core.dataset import Subset
from image_recipes.evaluation.inference import predict
from image_recipes.evaluation.measures import score_classes
from image_recipes.models.backend import keras
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
