"""What a frozen network makes of pictures: computed once, and kept, so that an epoch costs what the rest costs."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from image_recipes.core.dataset import Subset
from image_recipes.core.files import reserve, written_whole
from image_recipes.core.loading import load_array
from image_recipes.models.backbones import list_leaves
from image_recipes.models.backend import keras, tf
from image_recipes.models.feeding import evaluation_batch_size
from image_recipes.models.recipe import BACKBONE
from image_recipes.training.digests import digest_model, digest_pictures


class Halves(NamedTuple):
    """A model in two: what computes the same in every epoch, and the rest, which share its layers."""

    fixed: keras.Model
    trained: keras.Model


def is_frozen(model: keras.Model) -> bool:
    """Tell whether a model has a backbone that is not trained."""
    return any(layer.name == BACKBONE and not layer.trainable_weights for layer in model.layers)


def divide(model: keras.Sequential) -> Halves | str:
    """Divide a model behind its frozen backbone, and behind the layers after it that have nothing to learn.

    Returns:
        Both halves; or, if something in front of the backbone changes from epoch to epoch, such as
        augmentation, that layer's name.
    """
    count = 0
    for layer in model.layers:
        if not _is_fixed(layer):
            break
        count += 1
    fixed, rest = model.layers[:count], model.layers[count:]
    if BACKBONE not in {layer.name for layer in fixed}:
        return rest[0].name
    pictures = keras.Input(model.input_shape[1:], dtype="uint8", name="pictures")
    half = keras.Sequential([pictures, *fixed], name="fixed")
    features = keras.Input(half.output_shape[1:], dtype="float32", name="features")
    return Halves(half, keras.Sequential([features, *rest], name=model.name))


def _is_fixed(layer: keras.layers.Layer) -> bool:
    if layer.name == BACKBONE:
        return not layer.trainable_weights
    if isinstance(layer, keras.layers.Normalization):
        return True
    # layers that do something at random have a seed
    return not layer.weights and not any(hasattr(leaf, "seed") for leaf in list_leaves([layer]))


def compute_features(fixed: keras.Model, splits: Mapping[str, Subset], folder: Path, name: str) -> dict[str, Subset]:
    """Compute what the fixed half of a model makes of pictures, or load what was computed before.

    Args:
        fixed: takes raw pictures.
        splits: the pictures of each.
        folder: keeps the features, in a file for each split, named by a hash of all that they depend on.
        name: the recipe's, for what is said.

    Returns:
        The same splits, with features, float32 (N, ...), in place of pictures.
    """
    digest = digest_model(fixed)
    files = {split: folder / f"{digest_pictures(pictures, digest)}.npy" for split, pictures in splits.items()}
    wanted = sum(len(pictures) for pictures in splits.values())
    shapes = {split: (len(pictures), *fixed.output_shape[1:]) for split, pictures in splits.items()}
    missing = {split: splits[split] for split, file in files.items() if _load(file, shapes[split]) is None}
    if missing:
        print(f"{name}: what the frozen network makes of {wanted:,} pictures is computed once", file=sys.stderr)
    else:
        print(f"{name}: what the frozen network makes of {wanted:,} pictures is in {folder}", file=sys.stderr)
    features = {}
    with tqdm(total=sum(map(len, missing.values())), desc=f"{name}, features", unit="picture", disable=None) as bar:
        for split, file in files.items():
            if split in missing:
                _compute(fixed, missing[split], file, bar)
            features[split] = load_array(file, np.float32, shapes[split])
    return {
        split: Subset(features[split], pictures.targets, np.arange(len(pictures))) for split, pictures in splits.items()
    }


def _load(file: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    try:
        return load_array(file, np.float32, shape)
    except (OSError, ValueError, EOFError):  # it is not there, or a disk was full
        return None


def _compute(fixed: keras.Model, pictures: Subset, file: Path, bar: tqdm) -> None:
    """Compute features batch by batch into a file, whole or not at all, since they may not fit in memory."""
    size = evaluation_batch_size(pictures, fixed)
    # the last batch is smaller
    batch = tf.TensorSpec((None, *pictures.picture_shape), fixed.inputs[0].dtype)
    # NumPy knows no bfloat16
    run = tf.function(lambda images: tf.cast(fixed(images, training=False), tf.float32), input_signature=[batch])
    # another process may compute the same at the same time
    with written_whole(file) as partial:
        features = np.lib.format.open_memmap(
            partial, mode="w+", dtype=np.float32, shape=(len(pictures), *fixed.output_shape[1:])
        )
        reserve(partial)
        for start in range(0, len(pictures), size):
            values = run(tf.constant(pictures.read(slice(start, start + size)))).numpy()
            features[start : start + size] = values
            bar.update(len(values))
        features.flush()
