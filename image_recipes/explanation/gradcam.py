"""Grad-CAM (Selvaraju et al. 2017): what a convolutional network found where, and whether it speaks for the answer."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np

from image_recipes.explanation.scores import pick_answers, pick_scores
from image_recipes.models.backbones import list_leaves
from image_recipes.models.backend import keras, tf

# a coarser map says no more than which quarter of the picture it is
LEAST_CELLS = 3
PIXELS_AT_ONCE = 2**20


def find_feature_layer(model: keras.Model) -> keras.layers.Layer | None:
    """Find the layer whose output is the network's last feature map.

    Of the convolutions whose output has at least 3 x 3 cells (or as many as the finest has), inside a backbone or a
    block too, it is the last one; or what follows it and leaves that size as it is, such as its normalization and
    activation, but not the pooling. Of a network that ends in a convolution, pooling and dense layers, it is what
    the convolution or its activation makes.

    Returns:
        None if the network has no convolution, or no output of one with more than a single cell.
    """
    maps: list[tuple[keras.layers.Layer, tuple[int, int]]] = []

    def note(layer: keras.layers.Layer, output: tf.Tensor) -> None:
        if len(output.shape) == 4:
            maps.append((layer, tuple(output.shape[1:3])))

    with ExitStack() as stack:
        for layer in dict.fromkeys(list_leaves(model.layers)):
            stack.enter_context(_listening(layer, partial(note, layer)))
        model(np.zeros((1, *model.input_shape[1:]), np.uint8), training=False)
    sizes = [size for layer, size in maps if "Conv" in type(layer).__name__ and min(size) > 1]
    if not sizes:
        return None
    least = min(LEAST_CELLS, max(map(min, sizes)))
    chosen = [size for size in sizes if min(size) >= least][-1]
    return [layer for layer, size in maps if size == chosen][-1]


def map_gradients(model: keras.Model, layer: keras.layers.Layer, images: np.ndarray) -> np.ndarray:
    """Multiply each value of a feature map by the gradient of the answer's score, and add up the channels.

    Where the map is averaged and a dense layer follows, that is Grad-CAM. Grad-CAM's mean of the gradient over all
    cells is left out (as in HiResCAM, Draelos and Carin 2020): behind Flatten, where each cell has weights of its
    own, it would be the mean of what has nothing to do with each other.

    Args:
        model: its head gives scores, as `answer_with_scores` leaves it.
        layer: of the model, or of a model in it, with an output (N, h, w, channels).
        images: uint8 (N, H, W, C).

    Returns:
        float32 (N, h, w), above 0 where what the network has found raises the score.
    """
    at_once = max(1, PIXELS_AT_ONCE // images[0, ..., 0].size)
    starts = range(0, len(images), at_once)
    return np.concatenate([_map_batch(model, layer, images[start : start + at_once]) for start in starts])


def _map_batch(model: keras.Model, layer: keras.layers.Layer, images: np.ndarray) -> np.ndarray:
    outputs: list[tf.Tensor] = []
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        with _listening(layer, tape.watch), _listening(layer, outputs.append):
            scores = model(images, training=False)
        scores = pick_scores(scores, pick_answers(scores))
    features = outputs[-1]
    gradients = tape.gradient(scores, features)
    return tf.reduce_sum(tf.cast(gradients, tf.float32) * tf.cast(features, tf.float32), axis=-1).numpy()


@contextmanager
def _listening(layer: keras.layers.Layer, listener: Callable[[tf.Tensor], None]) -> Iterator[None]:
    """Show a listener what a layer computes while the block runs, wherever in a model it stands."""
    call = layer.call

    def call_and_tell(*arguments: object, **options: object) -> object:
        output = call(*arguments, **options)
        if isinstance(output, tf.Tensor):
            listener(output)
        return output

    layer.call = call_and_tell
    try:
        yield
    finally:
        layer.call = call
