"""Building a Keras model from an architecture: scaling, the listed layers, and the head."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError, one_line
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.models.backbones import backbone_place, is_backbone, make_backbone
from image_recipes.models.backend import keras
from image_recipes.models.keras_classes import is_augmentation, make_arguments, make_component
from image_recipes.models.recipe import HEAD, RANDOM, REPEAT, RESIDUAL, UNIT, Layer, Recipe, walk


class Scale(NamedTuple):
    """The mean and the standard deviation of the targets to learn from."""

    mean: float
    deviation: float


def build_model(recipe: Recipe, info: DatasetInfo, scale: Scale | None = None) -> keras.Sequential:
    """Build a model that takes raw pictures: uint8 of (batch, H, W, C), values 0-255.

    Args:
        recipe: names the model. Its layers may begin with a backbone, which then prepares the
            pictures, or with layers such as Resizing and then a backbone; the last one's output
            must be one vector a picture. They compute by the recipe's precision; scaling,
            augmentation and head in float32.
        info: the dataset's; its task chooses the head.
        scale: of the targets, by which the head's output is turned into their unit.

    Returns:
        The model, not compiled. Classification: float32 (batch, classes), probabilities.
        Regression: float32 (batch, 1), in the unit of the targets.

    Raises:
        UserError: a layer is unknown, refuses its arguments or does not fit its input.
    """
    settings, layers, where = recipe.settings, recipe.layers, recipe.architecture_key
    augmentation = settings.augmentation or []
    model = keras.Sequential(name=recipe.name)
    model.add(keras.Input(tuple(info.image_shape), dtype="uint8", name="pictures"))
    place = backbone_place(layers)
    if place is None and settings.start_from != RANDOM:
        raise UserError(
            f"{where}.0: {layers[0].class_name} cannot start from {settings.start_from}: "
            f"begin with Trained or a network such as EfficientNetLite0, or set start_from: {RANDOM}"
        )
    if augmentation or place is not None:
        model.add(keras.layers.Rescaling(1.0, dtype="float32", name="pixels"))
    _add_augmentation(model, augmentation, f"{recipe.key}.augmentation")
    if place is None:
        model.add(keras.layers.Rescaling(1 / 255, dtype="float32", name="scaling"))
        _add_layers(model, layers, settings.precision, where)
    else:
        _add_layers(model, layers[:place], "float32", where)
        backbone = make_backbone(recipe, place, model.output_shape[1:])
        _add(model, backbone, f"{where}.{place}", f"layer {place}, {layers[place].class_name},")
        _add_layers(model, layers[place + 1 :], settings.precision, where, before=layers[: place + 1])
    _add_head(model, HEADS[info.task](info), where)
    if scale:
        model.add(keras.layers.Rescaling(scale.deviation, scale.mean, dtype="float32", name=UNIT))
    return model


def _add_augmentation(model: keras.Sequential, layers: Sequence[Layer], where: str) -> None:
    for number, layer in enumerate(layers):
        if hasattr(keras.layers, layer.class_name) and not is_augmentation(layer.class_name):
            raise UserError(
                f"{where}.{number}: {layer.class_name} does not change pictures alone, at random, and in "
                "training only: take one such as RandomFlip"
            )
    _add_layers(model, layers, "float32", where)


def _add_layers(
    model: keras.Sequential, layers: Sequence[Layer], precision: str, where: str, before: Sequence[Layer] = ()
) -> None:
    """Add layers, whose keys and names are numbered after those before them, which are there."""
    placed = _place_all([*before, *layers], where)
    names = _default_names([layer for layer, _, _ in placed])
    for name, (layer, key, what) in list(zip(names, placed, strict=True))[len(_place_all(before, where)) :]:
        if layer.class_name == RESIDUAL:
            made: keras.layers.Layer = _make_residual(model, layer, name, precision, key)
        else:
            arguments = {"name": name, "dtype": precision, **make_arguments(layer.arguments, key)}
            made = make_component(keras.layers, keras.layers.Layer, layer.class_name, arguments, key)
        _add(model, made, key, what)


class _Placed(NamedTuple):
    """A layer, its key in params.yaml, and what an error calls it."""

    layer: Layer
    key: str
    what: str


def _place_all(layers: Sequence[Layer], where: str, outer: str = "") -> list[_Placed]:
    """Number layers, with those that are repeated in place of each Repeat."""
    placed = []
    for number, layer in enumerate(layers):
        key = f"{where}.{number}"
        if inner := next((inner for inner in walk(layer.layers) if is_backbone(inner)), None):
            raise UserError(f"{key}: {inner.class_name} is a whole network: put it in front of {layer.class_name}")
        if layer.class_name == REPEAT:
            for count in range(layer.arguments["times"]):
                placed += _place_all(layer.layers, f"{key}.{REPEAT}.layers", f"{outer}round {count + 1} of {REPEAT}, ")
        else:
            placed.append(_Placed(layer, key, f"{outer}layer {number}, {layer.class_name},"))
    return placed


def _make_residual(model: keras.Sequential, group: Layer, name: str, precision: str, where: str) -> keras.Model:
    """Make a block whose output is that of its layers, added to its input, or to a projection of that."""
    where = f"{where}.{RESIDUAL}"
    for layer in walk(group.layers):
        if layer.class_name == "Normalization" and "mean" not in layer.arguments:
            raise UserError(f"{where}: Normalization is adapted in front of {RESIDUAL} alone: put it there")
    block_input = keras.Input(model.output_shape[1:], dtype="float32", name="input")
    # it has a shape from the start by a layer that is left out in the end
    path = keras.Sequential([block_input, keras.layers.Identity(dtype=precision, name="start")], name=name)
    _add_layers(path, group.layers, precision, where)
    values = block_input
    for layer in path.layers[1:]:
        values = layer(values)
    shortcut = _project(block_input, tuple(path.output_shape[1:]), group, precision, where)
    return keras.Model(block_input, keras.layers.Add(dtype=precision, name="add")([values, shortcut]), name=name)


def _project(
    values: keras.KerasTensor, shape: tuple[int, ...], group: Layer, precision: str, where: str
) -> keras.KerasTensor:
    before = tuple(values.shape[1:])
    if before == shape:
        return values
    strides = [_find_stride(*sizes) for sizes in zip(before[:-1], shape[:-1], strict=False)]
    if len(before) != len(shape) or len(shape) not in (1, 3) or None in strides:
        raise UserError(
            f"{where}: its layers make {shape} of {before}, which no stride makes of its input, to which that is "
            "added: give convolutions padding: same"
        )
    options = {"use_bias": False, "dtype": precision, "name": "shortcut"}
    if strides:
        # as a stride of the convolution: on some CPUs TensorFlow writes past its memory by that, at a batch of 23
        values = keras.layers.AveragePooling2D(1, strides, dtype=precision, name="shortcut_stride")(values)
        values = keras.layers.Conv2D(shape[-1], 1, **options)(values)
    else:
        values = keras.layers.Dense(shape[-1], **options)(values)
    norms = [layer.arguments for layer in walk(group.layers) if layer.class_name == "BatchNormalization"]
    if not norms:
        return values
    arguments = {"dtype": precision, **make_arguments(norms[-1], where), "name": "shortcut_norm"}
    return keras.layers.BatchNormalization(**arguments)(values)


def _find_stride(size: int, wanted: int) -> int | None:
    return next((stride for stride in range(1, size + 1) if -(-size // stride) == wanted), None)


def _default_names(layers: Sequence[Layer]) -> list[str]:
    # Keras numbers its default names through the whole process; a model's must not
    # depend on what was built before it
    counts: Counter[str] = Counter()
    names = []
    for layer in layers:
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", layer.class_name).lower()
        names.append(f"{snake}_{counts[snake]}" if counts[snake] else snake)
        counts[snake] += 1
    return names


def _add(model: keras.Sequential, layer: keras.layers.Layer, key: str, what: str) -> None:
    if layer.name in {known.name for known in model.layers} | {HEAD, UNIT}:
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
            "of shape (n,): end with Flatten or GlobalAveragePooling2D, or a Dense layer after one"
        )
    model.add(head)


HEADS: dict[Task, Callable[[DatasetInfo], keras.layers.Layer]] = {
    CLASSIFICATION: lambda info: keras.layers.Dense(
        len(info.class_names), activation="softmax", dtype="float32", name=HEAD
    ),
    REGRESSION: lambda info: keras.layers.Dense(1, dtype="float32", name=HEAD),
}
