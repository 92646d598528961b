"""Feeding a model: only the pictures' numbers are shuffled, and many steps run at one go.

What Keras's `fit` and `evaluate` take here as one step is an *execution*: all the steps
whose pictures fit into EXECUTION_BYTES, mostly those of a whole epoch.
"""

import math
import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import psutil

from image_recipes.core.dataset import Subset
from image_recipes.core.errors import UserError
from image_recipes.models.backend import keras, tf
from image_recipes.models.recipe import BACKBONE

# bounds what a network for large pictures has to compute before Python comes to see Ctrl-C,
# and the memory of pictures that are not held resident: three times as much
EXECUTION_BYTES = 2**26
MAX_STEPS_PER_EXECUTION = 2_000
# pictures of an evaluation batch, in bytes: large batches are faster, and past this not by much
EVALUATION_BYTES = 2**20
# and no fewer; through a large network more take more memory, and no less time
FEWEST_EVALUATED = 32
# pictures read at once while they are made resident
READ_BYTES = 2**24

MEMORY_VARIABLE = "IMAGE_RECIPES_MEMORY_GIB"


class Feed(NamedTuple):
    """Pictures for a model.

    Attributes:
        executions: an element, a tuple, holds what one execution needs.
        per_epoch: executions of one pass through the pictures.
        batch_size: pictures a step; the last step of a pass may have fewer.
        unpack: makes of an element all pictures at hand, uint8 (M, H, W, C), their targets
            (M,), and which of them the steps take, (n,), in order.
    """

    executions: tf.data.Dataset
    per_epoch: int
    batch_size: int
    unpack: Callable[..., tuple[tf.Tensor, tf.Tensor, tf.Tensor]]


def shuffled_feed(pictures: Subset, batch_size: int, seed: int, resident: bool, first_epoch: int = 0) -> Feed:
    """Feed pictures for training: shuffled again for every epoch, without end.

    The order of an epoch depends on the seed and the epoch's number alone.

    Args:
        pictures: to train on.
        batch_size: pictures a step.
        seed: of the order.
        resident: hold all pictures in memory, or read each execution's from disk; the
            steps see the same either way.
        first_epoch: the number of the first one.
    """
    size = _pictures_per_execution(pictures, batch_size)

    def pieces(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(tf.range(len(pictures)), seed=[seed, epoch])
        return tf.data.Dataset.range(0, len(pictures), size).map(lambda start: (order[start : start + size],))

    return _feed(tf.data.Dataset.counter(first_epoch).flat_map(pieces), pictures, size, batch_size, resident)


def evaluation_feed(pictures: Subset, batch_size: int, resident: bool) -> Feed:
    """Feed pictures for validation: in order, once through; the arguments are those of `shuffled_feed`."""
    size = _pictures_per_execution(pictures, batch_size)
    return _feed(_in_order(pictures, size), pictures, size, batch_size, resident)


def evaluation_batches(pictures: Subset, model: keras.Model) -> tf.data.Dataset:
    """Batch images and targets in order, once through, for Keras's own `evaluate` and `predict`."""
    size = evaluation_batch_size(pictures, model)
    return _feed(_in_order(pictures, size), pictures, size, size, resident=False).executions


def _pictures_per_execution(pictures: Subset, batch_size: int) -> int:
    steps = EXECUTION_BYTES // (batch_size * pictures.picture_bytes)
    return batch_size * min(max(1, steps), MAX_STEPS_PER_EXECUTION)


def _in_order(pictures: Subset, size: int) -> tf.data.Dataset:
    if size >= len(pictures):
        # Keras makes a new iterator for every validation, and that of a longer pipeline
        # takes more time than a small network
        return tf.data.Dataset.from_tensors((tf.range(len(pictures)),))
    starts = tf.data.Dataset.range(0, len(pictures), size)
    return starts.map(lambda start: (tf.range(start, tf.minimum(start + size, len(pictures))),))


def _feed(orders: tf.data.Dataset, pictures: Subset, size: int, batch_size: int, resident: bool) -> Feed:
    per_epoch = math.ceil(len(pictures) / size)
    if resident:
        images, targets = _resident(pictures)
        return Feed(_untuned(orders), per_epoch, batch_size, lambda order: (images, targets, order))

    def read(order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return pictures.read(order), pictures.targets[order]

    def read_execution(order: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images, targets = tf.numpy_function(
            read, [order], [pictures.images.dtype, pictures.targets.dtype], stateful=False
        )
        return tf.ensure_shape(images, (None, *pictures.picture_shape)), tf.ensure_shape(targets, (None,))

    return Feed(
        _untuned(orders.map(read_execution).prefetch(1)),
        per_epoch,
        batch_size,
        lambda images, targets: (images, targets, tf.range(targets.shape[0])),
    )


def _untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    # nothing here is left for tf.data to tune, and closing an iterator waits for its tuning:
    # at times longer than a small network's epoch
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _resident(pictures: Subset) -> tuple[tf.Tensor, tf.Tensor]:
    # TensorFlow takes an array over without a copy only at the alignment of its own
    alignment, size = 64, len(pictures) * pictures.picture_bytes
    memory = np.empty(size + alignment, np.uint8)
    start = -memory.ctypes.data % alignment
    values = memory[start : start + size].view(pictures.images.dtype)
    images = values.reshape(len(pictures), *pictures.picture_shape)
    at_once = max(1, READ_BYTES // pictures.picture_bytes)
    for first in range(0, len(pictures), at_once):
        pictures.read(slice(first, first + at_once), into=images[first : first + at_once])
    # to the GPU, where there is one
    return tf.identity(tf.experimental.dlpack.from_dlpack(images.__dlpack__())), tf.constant(pictures.targets)


def evaluation_batch_size(pictures: Subset, model: keras.Model) -> int:
    """Choose how many pictures make an evaluation batch for a model: it changes speed, not results."""
    large = any(layer.name == BACKBONE for layer in model.layers)
    many = 0 if large else EVALUATION_BYTES // pictures.picture_bytes
    return min(len(pictures), max(FEWEST_EVALUATED, many))


def fits_in_memory(*subsets: Subset) -> bool:
    """Tell whether pictures are to be held in memory: it changes speed, not results.

    The limit is half of the memory that is free, or what the environment variable
    IMAGE_RECIPES_MEMORY_GIB says, in GiB.

    Raises:
        UserError: the variable is no number, or below 0.
    """
    limit = psutil.virtual_memory().available / 2
    if given := os.environ.get(MEMORY_VARIABLE):
        try:
            limit = float(given) * 2**30
        except ValueError:
            limit = math.nan
        if not limit >= 0:
            raise UserError(f"{MEMORY_VARIABLE}: give a number of GiB, such as 0.5, not {given!r}")
    return sum(len(subset) * subset.picture_bytes for subset in subsets) <= limit
