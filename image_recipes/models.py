"""Building a Keras model from an architecture: scaling, the listed layers, and the head."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from image_recipes.backend import keras
from image_recipes.components import make_component, one_line
from image_recipes.datasets import DatasetInfo
from image_recipes.errors import UserError
from image_recipes.params import Layer


def build_model(layers: Sequence[Layer], info: DatasetInfo, where: str, name: str) -> keras.Sequential:
    """Build a model that takes raw pictures: uint8 of (batch, H, W, C), values 0-255.

    Args:
        layers: the architecture; its last output must be one vector a picture.
        info: the dataset's; its task chooses the head.
        where: the architecture's key in params.yaml, for errors.
        name: the model's name.

    Returns:
        The model, not compiled. Classification: float32 (batch, classes), probabilities.
        Regression: float32 (batch, 1), in the unit of the targets.

    Raises:
        UserError: a layer is unknown, refuses its arguments or does not fit its input.
    """
    model = keras.Sequential(name=name)
    model.add(keras.Input(tuple(info.image_shape), dtype="uint8", name="pictures"))
    model.add(keras.layers.Rescaling(1 / 255, name="scaling"))
    names = _default_names(layers)
    for number, (kind, arguments) in enumerate(layers):
        key = f"{where}.{number}"
        arguments = {"name": names[number], **arguments}
        layer = make_component(keras.layers, keras.layers.Layer, kind, arguments, key)
        _add(model, layer, f"{key}: layer {number}, {kind},")
    _add_head(model, HEADS[info.task](info), where)
    return model


def _default_names(layers: Sequence[Layer]) -> list[str]:
    # Keras numbers its default names through the whole process; a model's must not
    # depend on what was built before it
    counts: Counter[str] = Counter()
    names = []
    for kind, _ in layers:
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
        names.append(f"{snake}_{counts[snake]}" if counts[snake] else snake)
        counts[snake] += 1
    return names


def _add(model: keras.Sequential, layer: keras.layers.Layer, what: str) -> None:
    input_shape = model.output_shape[1:]
    try:
        model.add(layer)
    except (TypeError, ValueError) as error:
        raise UserError(f"{what} does not fit its input of shape {input_shape}: {one_line(error)}") from None
    if any(size is not None and size < 1 for size in model.output_shape[1:]):
        raise UserError(
            f"{what} does not fit its input of shape {input_shape}: its output would have shape "
            f"{model.output_shape[1:]}: make it smaller, pad it or remove a layer before it"
        )


def _add_head(model: keras.Sequential, head: keras.layers.Layer, where: str) -> None:
    if len(model.output_shape) != 2:
        raise UserError(
            f"{where}: the last layer's output has shape {model.output_shape[1:]}, but the head takes a vector "
            "of shape (n,): end with Flatten or GlobalAveragePooling2D, or a Dense layer behind one"
        )
    model.add(head)


HEADS: dict[str, Callable[[DatasetInfo], keras.layers.Layer]] = {
    "classification": lambda info: keras.layers.Dense(len(info.classes or ()), activation="softmax", name="head"),
    "regression": lambda info: keras.layers.Dense(1, name="head"),
}
