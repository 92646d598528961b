"""Paths of values in params.yaml, as `dvc exp run --set-param` takes them: `architectures.pool[0].Dense.units`."""

import copy
import re
from typing import Any

from image_recipes.core.errors import did_you_mean, show_value

# a key, or the place in a list
PART = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(\d+)\]")

Path = tuple[str | int, ...]


def parse_path(text: str) -> Path:
    """Parse a path.

    Raises:
        ValueError: it is none.

    >>> parse_path("architectures.pool[0].Dense.units")
    ('architectures', 'pool', 0, 'Dense', 'units')
    """
    parts: list[str | int] = []
    end = 0
    for part in PART.finditer(text):
        if part.start() != end:
            break
        parts.append(part[1] if part[2] is None else int(part[2]))
        end = part.end()
    if not parts or end != len(text):
        raise ValueError(f"{show_value(text)} is no path: write it as in `recipes.dots_pool.optimizer.learning_rate`")
    return tuple(parts)


def write_path(path: Path) -> str:
    """Write a path as text.

    >>> write_path(("architectures", "pool", 0, "Dense", "units"))
    'architectures.pool[0].Dense.units'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def get_value(params: Any, path: Path) -> Any:
    """Return the value at a path.

    Raises:
        ValueError: there is none; with the nearest path that there is.
    """
    value = params
    for depth, part in enumerate(path):
        known = _parts_of(value)
        if part not in known:
            remedy = did_you_mean(
                write_path(path[: depth + 1]), [write_path((*path[:depth], other)) for other in known]
            )
            raise ValueError(f"no such path: {remedy}")
        value = value[part]
    return value


def with_value(params: Any, path: Path, value: Any) -> Any:
    """Return a copy of params with another value at a path that is there."""
    changed = copy.deepcopy(params)
    *parents, last = path
    get_value(changed, tuple(parents))[last] = copy.deepcopy(value)
    return changed


def _parts_of(value: Any) -> list[str | int]:
    if isinstance(value, dict):
        return [*value]
    return [*range(len(value))] if isinstance(value, list) else []
