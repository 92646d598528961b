"""What a trained model sees in a picture, just before its head turns that into an answer."""

from image_recipes.models.backend import keras
from image_recipes.models.recipe import HEAD


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
