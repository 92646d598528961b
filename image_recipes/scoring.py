"""Scoring a trained model on pictures."""

from collections.abc import Callable
from typing import Any

import numpy as np

from image_recipes.backend import keras
from image_recipes.datasets import Subset
from image_recipes.pipelines import evaluation_batches

# the name under which a task reports the loss it was trained with, and what it adds
SCORES: dict[str, tuple[str, Callable[[], list[Any]]]] = {
    "classification": ("loss", lambda: ["accuracy"]),
    "regression": ("mse", lambda: ["mae", keras.metrics.R2Score(name="r2")]),
}


def predict(model: keras.Model, pictures: Subset) -> np.ndarray:
    """Predict pictures in order.

    Args:
        model: takes raw pictures.
        pictures: N of them.

    Returns:
        float32: classification (N, classes), probabilities; regression (N, 1).
    """
    return model.predict(evaluation_batches(pictures), verbose=0)


def score(model: keras.Model, task: str, pictures: Subset) -> dict[str, float | None]:
    """Score a model by Keras's own `evaluate`, as validation does after each epoch.

    Args:
        model: compiled with its loss, as it was saved.
        task: `classification` or `regression`.
        pictures: with their targets.

    Returns:
        accuracy and loss (cross-entropy), or mse, mae and r2, rounded to the about seven
        digits of float32; None for what is not finite, since JSON has no such number.
    """
    loss_name, metrics = SCORES[task]
    model.compile(loss=model.loss, metrics=metrics())
    results = model.evaluate(evaluation_batches(pictures), verbose=0, return_dict=True)
    results[loss_name] = results.pop("loss")
    return {name: float(f"{value:.7g}") if np.isfinite(value) else None for name, value in results.items()}
