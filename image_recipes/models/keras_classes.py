"""Keras's classes by the names and arguments in params.yaml."""

import inspect
from types import ModuleType
from typing import Any

from image_recipes.core.errors import UserError, did_you_mean, one_line
from image_recipes.models.backend import keras

# what every Keras object takes beside its own arguments
COMMON_ARGUMENTS = {"name", "dtype", "trainable"}
# where Keras keeps the layers that change pictures
PICTURE_LAYERS = ".image_preprocessing."
# names of those that augment; RandAugment and AugMix do not begin with Random
AUGMENTATION_NAMES = ("Random", "RandAugment", "AugMix")


def make_component(module: ModuleType, base: type, class_name: str, arguments: dict[str, Any], where: str) -> Any:
    """Make an object of a class that is named in params.yaml.

    Args:
        module: where the class is looked up, such as `keras.layers`.
        base: the class it must derive from.
        class_name: the class's name.
        arguments: its arguments.
        where: the key in params.yaml, for errors.

    Returns:
        The object.

    Raises:
        UserError: there is no such class, or it refuses the arguments.
    """
    known = {
        name: member
        for name, member in vars(module).items()
        if inspect.isclass(member) and issubclass(member, base) and member is not base
    }
    if class_name not in known:
        raise UserError(f"{where}: no {class_name!r} in {module.__name__}: {did_you_mean(class_name, known)}")
    takes = {
        name
        for name, parameter in inspect.signature(known[class_name]).parameters.items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    for argument in arguments:
        if argument not in takes | COMMON_ARGUMENTS:
            raise UserError(f"{where}: {class_name} takes no argument {argument!r}: {did_you_mean(argument, takes)}")
    try:
        return known[class_name](**arguments)
    except Exception as error:  # whatever Keras raises at wrong arguments
        raise UserError(f"{where}: {class_name} refuses its arguments: {one_line(error)}") from None


# by the end of an argument's name, what it may be besides a name that Keras knows: `{L2: {l2: 1e-4}}`
ARGUMENT_CLASSES: dict[str, tuple[ModuleType, type]] = {
    "_regularizer": (keras.regularizers, keras.regularizers.Regularizer),
    "_initializer": (keras.initializers, keras.initializers.Initializer),
    "_constraint": (keras.constraints, keras.constraints.Constraint),
}


def make_arguments(arguments: dict[str, Any], where: str) -> dict[str, Any]:
    """Make those of a layer's arguments that are classes with arguments of their own.

    Args:
        arguments: a layer's.
        where: the layer's key in params.yaml, for errors.

    Returns:
        The same, with objects in place of mappings such as `{L2: {l2: 1e-4}}`.

    Raises:
        UserError: there is no such class, or it refuses its arguments.
    """
    return {name: _make_argument(name, value, f"{where}.{name}") for name, value in arguments.items()}


def _make_argument(name: str, value: Any, where: str) -> Any:
    kind = next((kind for end, kind in ARGUMENT_CLASSES.items() if name.endswith(end)), None)
    # Keras's own form has `class_name` and `config`
    if kind is None or not isinstance(value, dict) or "class_name" in value:
        return value
    try:
        ((class_name, arguments),) = value.items()
        return make_component(*kind, class_name, dict(arguments or {}), where)
    except (TypeError, ValueError):
        raise UserError(f"{where}: give one class with its arguments, such as {{L2: {{l2: 1e-4}}}}") from None


def is_augmentation(class_name: str) -> bool:
    """Tell whether a class of `keras.layers` augments: changes pictures at random, in training alone.

    MixUp and CutMix are none: they change labels too. Neither are those that change a
    picture in prediction as well, such as Equalization.

    >>> [is_augmentation(name) for name in ("RandomFlip", "MixUp", "Dropout")]
    [True, False, False]
    """
    known = getattr(keras.layers, class_name, None)
    return PICTURE_LAYERS in getattr(known, "__module__", "") and class_name.startswith(AUGMENTATION_NAMES)
