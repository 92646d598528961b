"""Reading a YAML file that anybody may have written: whatever is wrong with it is said in one line."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node

from image_recipes.core.errors import UserError, one_line, show_value

# far more than any section needs
MOST_LEVELS = 100
# with those that an alias stands for: a few lines of aliases of aliases stand for billions
MOST_VALUES = 10**6


class _Constructor(SafeConstructor):
    """Say of a value that its type cannot hold, such as `!!int "x"`, in which line it stands."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, (int, str)):
                # neither a number of 5,000 hexadecimal digits nor half of a character can be shown
                str(value).encode()
        except (ValueError, LookupError, ArithmeticError, TypeError, AttributeError):
            kind = str(node.tag).rpartition(":")[2]
            raise ConstructorError(
                None, None, f"{show_value(node.value)} cannot be read as {kind}", node.start_mark
            ) from None
        return value


def read_yaml(file: Path) -> Any:
    """Read a YAML 1.2 file, as DVC does, so that `1e-3` is a number.

    Raises:
        UserError: the file is missing, is not YAML, or is nested without end.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        values = yaml.load(file.read_text(encoding="utf-8"))
        _measure(values, {}, 0)
    except FileNotFoundError:
        raise UserError(f"{file}: not found: run this in the project's folder") from None
    except MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{file}{line}: not valid YAML: {error.problem}") from None
    except RecursionError:
        raise UserError(
            f"{file}: nested more than {MOST_LEVELS} levels deep, or without end: make it flatter"
        ) from None
    except (YAMLError, ValueError, LookupError, ArithmeticError, TypeError) as error:
        raise UserError(f"{file}: not valid YAML: {one_line(error)}") from None
    return values


def _measure(value: Any, known: dict[int, tuple[int, int]], level: int) -> tuple[int, int]:
    """Count the values in a value, those of an alias wherever it stands, and its levels."""
    if not isinstance(value, (dict, list)):
        return 1, 0
    if id(value) not in known:
        if level > MOST_LEVELS:
            raise RecursionError
        inner = value.values() if isinstance(value, dict) else value
        measured = [_measure(item, known, level + 1) for item in inner]
        known[id(value)] = 1 + sum(count for count, _ in measured), 1 + max((deep for _, deep in measured), default=0)
    count, levels = known[id(value)]
    if level + levels > MOST_LEVELS:
        raise RecursionError
    if count > MOST_VALUES:
        raise ValueError(f"it stands for more than {MOST_VALUES:,} values: use fewer aliases")
    return count, levels
