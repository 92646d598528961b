"""Making Keras objects from the names and arguments in params.yaml."""

import inspect
from types import ModuleType
from typing import Any

from image_recipes.errors import UserError, did_you_mean

# what every layer takes beside its own arguments
LAYER_ARGUMENTS = {"name", "dtype", "trainable"}


def make_component(module: ModuleType, base: type, kind: str, arguments: dict[str, Any], where: str) -> Any:
    """Make an object of a class that is named in params.yaml.

    Args:
        module: where the class is looked up, such as `keras.layers`.
        base: the class it must derive from.
        kind: the class's name.
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
    if kind not in known:
        raise UserError(f"{where}: no {kind!r} in {module.__name__}: {did_you_mean(kind, known)}")
    takes = {
        name
        for name, parameter in inspect.signature(known[kind]).parameters.items()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    for argument in arguments:
        if argument not in takes | LAYER_ARGUMENTS:
            raise UserError(f"{where}: {kind} takes no argument {argument!r}: {did_you_mean(argument, takes)}")
    try:
        return known[kind](**arguments)
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{where}: {kind} refuses its arguments {arguments}: {one_line(error)}") from None


def one_line(error: Exception) -> str:
    """Fold an error's message into one line."""
    return " ".join(str(error).split())
