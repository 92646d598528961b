"""What a trained model sees in a picture, just before its head turns that into an answer."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from image_recipes.core.dataset import Subset
from image_recipes.models.backend import keras
from image_recipes.models.feeding import evaluation_batch_size, evaluation_batches
from image_recipes.models.recipe import HEAD

# of embeddings that are in memory at once, where they are not kept
EMBEDDING_BYTES = 2**28


def add_embedding(model: keras.Model) -> keras.Model:
    """Make a model return its embedding beside its output; it shares the layers.

    Args:
        model: as `build_model` makes it, (units,) a picture.

    Returns:
        A model of the same input with two outputs: the embedding, (N, d), which is what the head takes,
        and the model's own output, (N, units). The model itself, if it was built elsewhere and has no such head.
    """
    if HEAD not in {layer.name for layer in model.layers}:
        return model
    return keras.Model(model.inputs, [model.get_layer(HEAD).input, model.outputs[0]], name=model.name)


class Piece(NamedTuple):
    """Embeddings, float32 (n, d), and outputs, float32 (n, units), of some pictures in order."""

    embedding: np.ndarray
    outputs: np.ndarray


def predict_in_pieces(model: keras.Model, pictures: Subset) -> Iterator[Piece]:
    """Predict pictures in order, some at a time, since wide embeddings of all may not fit in memory.

    Args:
        model: as `add_embedding` returns it: made once, since Keras prepares it at its first use.
        pictures: N of them.
    """
    batch = evaluation_batch_size(pictures, model)
    # in whole batches, so that these are as if all pictures came at once
    size = batch * max(1, EMBEDDING_BYTES // (4 * model.output_shape[0][-1] * batch))
    for start in range(0, len(pictures), size):
        part = slice(start, start + size)
        some = Subset(pictures.images, pictures.targets[part], pictures.indices[part])
        yield Piece(*model.predict(evaluation_batches(some, model), verbose=0))
