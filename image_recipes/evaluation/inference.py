"""Running a trained model over the pictures of a split."""

import numpy as np

from image_recipes.core.dataset import Subset
from image_recipes.models.backend import keras
from image_recipes.models.feeding import evaluation_batches


def predict(model: keras.Model, pictures: Subset) -> np.ndarray:
    """Predict pictures in order.

    Args:
        model: takes raw pictures.
        pictures: N of them.

    Returns:
        float32: classification (N, classes), probabilities; regression (N, 1).
    """
    return model.predict(evaluation_batches(pictures, model), verbose=0)
