"""Adapting `Normalization` layers to the training pictures, before training."""

import sys

import numpy as np

from image_recipes.core.dataset import Subset
from image_recipes.models.backend import keras, tf
from image_recipes.models.feeding import evaluation_batch_size


def adapt_normalization(model: keras.Sequential, pictures: Subset) -> None:
    """Give each Normalization that was given no mean those of its inputs over pictures, first to last.

    Args:
        model: of raw pictures, before training. What a backbone brings stays as it is.
        pictures: read batch by batch, so that memory is bounded.
    """
    for place, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            mean, variance = _measure(model, place, pictures)
            layer.adapt_mean.assign(mean)
            # what is the same in all pictures is not divided by 0
            layer.adapt_variance.assign(np.where(variance > 0, variance, 1.0))
            layer.finalize_state()
            counted = f"mean and variance over {len(pictures):,} training pictures"
            print(f"{model.name}: layer {layer.name} goes by {counted}", file=sys.stderr)


def _measure(model: keras.Sequential, place: int, pictures: Subset) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance, float64, of what reaches a layer, over all axes but the layer's own."""
    shape = model.layers[place].input.shape
    front = keras.Sequential([keras.Input(model.input_shape[1:], dtype="uint8"), *model.layers[:place]], name="front")
    batch = tf.TensorSpec((None, *pictures.picture_shape), "uint8")
    run = tf.function(lambda images: tf.cast(front(images, training=False), tf.float32), input_signature=[batch])
    kept = {axis % len(shape) for axis in model.layers[place].axis}
    axes = tuple(axis for axis in range(len(shape)) if axis not in kept)
    size = evaluation_batch_size(pictures, model)
    count, mean, squares = 0, np.zeros(()), np.zeros(())
    for start in range(0, len(pictures), size):
        values = run(tf.constant(pictures.read(slice(start, start + size)))).numpy().astype(np.float64)
        its_mean = values.mean(axes)
        added = values.size // its_mean.size
        # Chan's formula: exact where the sum of squares would cancel
        difference, total = its_mean - mean, count + added
        squares = squares + values.var(axes) * added + difference**2 * count * added / total
        mean, count = mean + difference * added / total, total
    return mean, squares / count
