"""Paths of values in params.yaml, as `dvc exp run --set-param` takes them.

A place in a list is written `architectures.pool[0].Dense.units` or `architectures.pool.0.Dense.units`.
"""

import re
from typing import Any

from image_recipes.core.errors import did_you_mean, show_value

# a key, or the place in a list
PART = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(\d+)\]")

Path = tuple[str | int, ...]

# of other places that are named
MOST_NAMED = 4


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
        parts.append(int(part[2] or part[1]) if (part[2] or part[1]).isdecimal() else part[1])
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
            elsewhere = _find_elsewhere(params, path, depth)
            near = [write_path((*path[:depth], other, *path[depth + 1 :])) for other in known]
            whole = [text for text in near if _leads_somewhere(params, parse_path(text))]
            others = [write_path((*path[:depth], other)) for other in known]
            if elsewhere:
                raise ValueError(f"no such path: did you mean {' or '.join(map(repr, elsewhere))}?")
            raise ValueError(f"no such path: {did_you_mean(write_path(path), whole or others)}")
        value = value[part]
    return value


def _leads_somewhere(params: Any, path: Path) -> bool:
    value = params
    for part in path:
        if part not in _parts_of(value):
            return False
        value = value[part]
    return True


def _find_elsewhere(params: Any, path: Path, depth: int) -> list[str]:
    """Find where the rest of a path stands at another place of the list that it leads into, or in another section."""
    if depth and isinstance(path[depth - 1], int):
        layers = get_value(params, path[: depth - 1])
        places = [(*path[: depth - 1], place, *path[depth:]) for place in range(len(layers))]
    elif not depth and isinstance(params, dict):
        recipes = params.get("recipes", {})
        places = [("recipes", name, *path) for name in recipes]
    else:
        return []
    return [write_path(place) for place in places if _leads_somewhere(params, place)][:MOST_NAMED]


def with_value(params: Any, path: Path, value: Any) -> Any:
    """Return a copy of params with another value at a path that is there."""
    changed = _copy(params)
    *parents, last = path
    get_value(changed, tuple(parents))[last] = _copy(value)
    return changed


def _copy(value: Any) -> Any:
    """Copy dicts and lists so that two places that share one, by an anchor, have one each."""
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value


def _parts_of(value: Any) -> list[str | int]:
    if isinstance(value, dict):
        return [*value]
    return [*range(len(value))] if isinstance(value, list) else []
