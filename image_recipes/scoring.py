"""Scoring a trained model on pictures."""

import numpy as np

from image_recipes.backend import keras
from image_recipes.pipelines import evaluation_batch_size

SCORES = {
    "classification": {
        "accuracy": keras.metrics.SparseCategoricalAccuracy,
        "loss": keras.metrics.SparseCategoricalCrossentropy,
    },
    "regression": {
        "mse": keras.metrics.MeanSquaredError,
        "mae": keras.metrics.MeanAbsoluteError,
        "r2": keras.metrics.R2Score,
    },
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


def score(task: str, real: np.ndarray, predicted: np.ndarray) -> dict[str, float | None]:
    """Score predictions by Keras's own metrics, in double precision.

    Args:
        task: `classification` or `regression`.
        real: (N,), class numbers or numbers.
        predicted: as `predict` returns them.

    Returns:
        accuracy and loss (cross-entropy), or mse, mae and r2; None for what is undefined
        or not finite, since JSON has no such number.
    """
    scores: dict[str, float | None] = {}
    for name, metric_class in SCORES[task].items():
        metric = metric_class(dtype="float64")
        metric.update_state(real.reshape(-1, 1).astype("float64"), predicted.astype("float64"))
        value = float(metric.result())
        scores[name] = value if np.isfinite(value) else None
    return scores
