"""Feeding a model: pictures stay resident as uint8, and only their numbers are shuffled."""

import numpy as np

from image_recipes.backend import tf

# pictures of an evaluation batch, in bytes: large batches are faster, and past this not by much
EVALUATION_BYTES = 2**20


def training_batches(images: np.ndarray, targets: np.ndarray, batch_size: int, seed: int) -> tf.data.Dataset:
    """Shuffle anew and batch for every epoch, without end; the last batch may be smaller.

    The order of an epoch depends on the seed and the epoch's number alone.

    Args:
        images: uint8, (N, H, W, C).
        targets: (N,).
        batch_size: pictures a batch.
        seed: of the order.

    Returns:
        Batches of images and targets; an epoch is ceil(N / batch_size) of them.
    """

    def epoch_order(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(tf.range(len(images)), seed=[seed, epoch])
        return tf.data.Dataset.from_tensor_slices(order).batch(batch_size)

    return _gather(tf.data.Dataset.counter().flat_map(epoch_order), images, targets)


def evaluation_batches(images: np.ndarray, targets: np.ndarray, batch_size: int) -> tf.data.Dataset:
    """Batch in order, once through.

    Args:
        images: uint8, (N, H, W, C).
        targets: (N,).
        batch_size: pictures a batch.

    Returns:
        Batches of images and targets.
    """
    return _gather(tf.data.Dataset.range(len(images)).batch(batch_size), images, targets)


def _gather(indices: tf.data.Dataset, images: np.ndarray, targets: np.ndarray) -> tf.data.Dataset:
    pictures, labels = tf.constant(images), tf.constant(targets)
    return indices.map(lambda batch: (tf.gather(pictures, batch), tf.gather(labels, batch))).prefetch(2)


def evaluation_batch_size(images: np.ndarray) -> int:
    """Choose how many pictures make an evaluation batch: it changes speed, not results.

    Args:
        images: uint8, (N, H, W, C).
    """
    return min(len(images), max(32, EVALUATION_BYTES // images[0].nbytes))
