"""Scoring a trained model on pictures."""

from collections.abc import Callable
from typing import Any

import numpy as np

from image_recipes.backend import keras
from image_recipes.pipelines import evaluation_batch_size, evaluation_batches

# the name under which a task reports the loss it was trained with, and what it adds
SCORES: dict[str, tuple[str, Callable[[], list[Any]]]] = {
    "classification": ("loss", lambda: ["accuracy"]),
    "regression": ("mse", lambda: ["mae", keras.metrics.R2Score(name="r2")]),
}


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Predict pictures in order.

    Args:
        model: takes raw pictures.
        images: uint8, (N, H, W, C).

    Returns:
        float32: classification (N, classes), probabilities; regression (N, 1).
    """
    return model.predict(images, batch_size=evaluation_batch_size(images), verbose=0)


def score(model: keras.Model, task: str, images: np.ndarray, targets: np.ndarray) -> dict[str, float | None]:
    """Score a model by Keras's own `evaluate`, as validation does after each epoch.

    Args:
        model: compiled with its loss, as it was saved.
        task: `classification` or `regression`.
        images: uint8, (N, H, W, C).
        targets: (N,), class numbers or numbers.

    Returns:
        accuracy and loss (cross-entropy), or mse, mae and r2, rounded to the about seven
        digits of float32; None for what is not finite, since JSON has no such number.
    """
    loss_name, metrics = SCORES[task]
    model.compile(loss=model.loss, metrics=metrics())
    batches = evaluation_batches(images, targets, evaluation_batch_size(images))
    results = model.evaluate(batches, verbose=0, return_dict=True)
    results[loss_name] = results.pop("loss")
    return {name: float(f"{value:.7g}") if np.isfinite(value) else None for name, value in results.items()}
