"""Building a Keras model from an architecture: scaling, the listed layers, and the head."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from image_recipes.augmentation import is_augmentation
from image_recipes.backbones import is_backbone, make_backbone
from image_recipes.backend import keras
from image_recipes.components import make_component, one_line
from image_recipes.datasets import DatasetInfo
from image_recipes.errors import UserError
from image_recipes.params import PARAMS_FILE, RANDOM, Layer


class Scale(NamedTuple):
    """The mean and the standard deviation of the targets to learn from."""

    mean: float
    deviation: float


def build_model(
    layers: Sequence[Layer],
    info: DatasetInfo,
    precision: str,
    where: str,
    name: str,
    *,
    start_from: str = RANDOM,
    augmentation: Sequence[Layer] = (),
    scale: Scale | None = None,
) -> keras.Sequential:
    """Build a model that takes raw pictures: uint8 of (batch, H, W, C), values 0-255.

    Args:
        layers: the architecture; its last output must be one vector a picture. It may begin
            with a backbone, which then prepares the pictures.
        info: the dataset's; its task chooses the head.
        precision: a Keras dtype policy, `float32` or `mixed_bfloat16`, for the listed
            layers; scaling and head stay float32.
        where: the architecture's key in params.yaml, for errors.
        name: the model's name.
        start_from: the backbone's file, or RANDOM.
        augmentation: layers that change pictures, of values 0-255, in training alone.
        scale: of the targets, by which the head's output is turned into their unit.

    Returns:
        The model, not compiled. Classification: float32 (batch, classes), probabilities.
        Regression: float32 (batch, 1), in the unit of the targets.

    Raises:
        UserError: a layer is unknown, refuses its arguments or does not fit its input.
    """
    model = keras.Sequential(name=name)
    model.add(keras.Input(tuple(info.image_shape), dtype="uint8", name="pictures"))
    backbone, listed = None, 0
    if is_backbone(layers[0]):
        backbone, listed = make_backbone(layers[0], info, precision, start_from, f"{where}.0"), 1
    elif start_from != RANDOM:
        raise UserError(
            f"{where}.0: {layers[0].class_name} cannot start from {start_from}: "
            f"begin with Trained or a network of keras.applications, or set start_from: {RANDOM}"
        )
    if augmentation or backbone:
        model.add(keras.layers.Rescaling(1.0, dtype="float32", name="pixels"))
    augmented = f"{PARAMS_FILE}: recipes.{name}.augmentation"
    for number, layer in enumerate(augmentation):
        if hasattr(keras.layers, layer.class_name) and not is_augmentation(layer.class_name):
            raise UserError(
                f"{augmented}.{number}: {layer.class_name} does not change pictures alone, at random, and in "
                "training only: take one such as RandomFlip"
            )
    _add_layers(model, augmentation, "float32", augmented, 0)
    if backbone:
        _add(model, backbone, f"{where}.0", f"layer 0, {layers[0].class_name},")
    else:
        model.add(keras.layers.Rescaling(1 / 255, dtype="float32", name="scaling"))
    _add_layers(model, layers, precision, where, listed)
    _add_head(model, HEADS[info.task](info), where)
    if scale:
        model.add(keras.layers.Rescaling(scale.deviation, scale.mean, dtype="float32", name="unit"))
    return model


def _add_layers(model: keras.Sequential, layers: Sequence[Layer], precision: str, where: str, first: int) -> None:
    names = _default_names(layers)
    for number, (class_name, arguments) in enumerate(layers[first:], first):
        key = f"{where}.{number}"
        arguments = {"name": names[number], "dtype": precision, **arguments}
        layer = make_component(keras.layers, keras.layers.Layer, class_name, arguments, key)
        _add(model, layer, key, f"layer {number}, {class_name},")


def _default_names(layers: Sequence[Layer]) -> list[str]:
    # Keras numbers its default names through the whole process; a model's must not
    # depend on what was built before it
    counts: Counter[str] = Counter()
    names = []
    for class_name, _ in layers:
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name).lower()
        names.append(f"{snake}_{counts[snake]}" if counts[snake] else snake)
        counts[snake] += 1
    return names


def _add(model: keras.Sequential, layer: keras.layers.Layer, key: str, what: str) -> None:
    if layer.name in {known.name for known in model.layers} | {"head", "unit"}:
        raise UserError(f"{key}: another layer has the name {layer.name!r}: choose another name")
    input_shape = model.output_shape[1:]
    misfit = f"{key}: {what} does not fit its input of shape {input_shape}"
    try:
        model.add(layer)
        output_shape = tuple(model.output_shape[1:])
    except Exception as error:  # whatever Keras raises where shapes do not fit
        raise UserError(f"{misfit}: {one_line(error)}") from None
    if not all(isinstance(size, int) for size in output_shape):
        raise UserError(f"{misfit}: the sizes of its output, {output_shape}, are not known beforehand")
    if min(output_shape, default=1) < 1:
        raise UserError(
            f"{misfit}: its output would have shape {output_shape}: make it smaller, pad it or remove a layer before it"
        )


def _add_head(model: keras.Sequential, head: keras.layers.Layer, where: str) -> None:
    if len(model.output_shape) != 2:
        raise UserError(
            f"{where}: the last layer's output has shape {model.output_shape[1:]}, but the head takes a vector "
            "of shape (n,): end with Flatten or GlobalAveragePooling2D, or a Dense layer behind one"
        )
    model.add(head)


HEADS: dict[str, Callable[[DatasetInfo], keras.layers.Layer]] = {
    "classification": lambda info: keras.layers.Dense(
        len(info.classes or ()), activation="softmax", dtype="float32", name="head"
    ),
    "regression": lambda info: keras.layers.Dense(1, dtype="float32", name="head"),
}
