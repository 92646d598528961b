"""Entries put into params.yaml and taken out of it; every other line stays as it is."""

import io
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from image_recipes.commands.mending import mend_uses
from image_recipes.core.errors import UserError
from image_recipes.core.files import written_whole
from image_recipes.core.locks import hold_lock
from image_recipes.core.params import PARAMS_FILE, read_params


@contextmanager
def changing_params() -> Iterator[None]:
    """Be the only process that changes params.yaml, and the pictures that go with it, in this block.

    Raises:
        UserError: another one does.
    """
    with hold_lock(PARAMS_FILE.name, "changing params.yaml"):
        mend_uses()
        yield


def write_params(entries: dict[str, dict[str, Any]]) -> None:
    """Write new entries at the ends of their sections of params.yaml; every other line stays as it is.

    Args:
        entries: by section and name.

    Raises:
        UserError: the file is not laid out in lines of its own for each key.
    """
    wanted = read_params()
    lines = _read_lines()
    for section, values in entries.items():
        wanted[section] = {**wanted[section], **values}
        lines = _insert(lines, section, values)
    _write_lines(lines, wanted)


def remove_params(names: Mapping[str, Collection[str]], dry_run: bool = False) -> None:
    """Remove entries from params.yaml, each with the comment right above it; every other line stays as it is.

    Args:
        names: by section.
        dry_run: only see whether it can be done.

    Raises:
        UserError: the file is not laid out in lines of its own for each key.
    """
    wanted = read_params()
    lines = _read_lines()
    # from the last line to the first, so that the numbers of the others hold
    marks = YAML().load("\n".join(lines))
    gone = [(marks[section].lc.key(name), section, name) for section in names for name in names[section]]
    for (number, indent), section, name in sorted(gone, reverse=True):
        wanted[section] = {key: value for key, value in wanted[section].items() if key != name}
        start, end = _entry(lines, number, indent)
        lines = lines[:start] + lines[end:]
        if not wanted[section]:
            place, _ = _heading(lines, section)
            lines[place] = lines[place].replace(":", ": {}", 1)
    _write_lines(lines, wanted, dry_run)


def _read_lines() -> list[str]:
    # as bytes, since a text's line ends would all become the same
    return PARAMS_FILE.read_bytes().decode("utf-8").split("\n")


def _write_lines(lines: list[str], wanted: dict[str, Any], dry_run: bool = False) -> None:
    text = "\n".join(lines)
    try:
        as_wanted = YAML(typ="safe", pure=True).load(text) == wanted
    except YAMLError:
        as_wanted = False
    if not as_wanted:
        raise UserError(f"{PARAMS_FILE}: cannot be changed: give each key a line of its own, as DVC does")
    if not dry_run:
        with written_whole(PARAMS_FILE) as partial:
            partial.write_bytes(text.encode("utf-8"))


def _insert(lines: list[str], section: str, values: dict[str, Any]) -> list[str]:
    stream = io.StringIO()
    YAML().dump(values, stream)
    start, heading = _heading(lines, section)
    place, indent = start + 1, 0
    for number in range(start + 1, len(lines)):
        if _is_content(lines[number]):
            if lines[number][0] not in " -":
                break
            indent = indent or _indent(lines[number])
            place = number + 1
    new = [" " * (indent or 2) + line for line in stream.getvalue().splitlines()]
    return [*lines[:start], heading, *lines[start + 1 : place], *new, *lines[place:]]


def _heading(lines: list[str], section: str) -> tuple[int, str]:
    """Return the number of a section's first line, and that line without the `{}` of an empty section."""
    for number, line in enumerate(lines):
        if found := re.fullmatch(rf"({section}:)(\s*\{{\s*\}})?(\s*(#.*)?)", line):
            return number, found[1] + found[3]
    raise UserError(f"{PARAMS_FILE}: no line `{section}:`")


def _entry(lines: list[str], number: int, indent: int) -> tuple[int, int]:
    """Return where an entry begins and ends, whose key is in a line, indented by so many spaces."""
    start = number
    while start and lines[start - 1].lstrip().startswith("#") and _indent(lines[start - 1]) == indent:
        start -= 1
    end = number + 1
    for place in range(end, len(lines)):
        text = lines[place].strip()
        # a list may be indented as its key is
        if text and _indent(lines[place]) >= indent + (not text.startswith("- ")):
            end = place + 1
        elif _is_content(lines[place]):
            break
    return start, end


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
