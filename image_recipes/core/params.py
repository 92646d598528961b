"""params.yaml: reading one section at a time, and validating it.

A stage reads only the sections that dvc.yaml declares for it, so that a change elsewhere
reruns nothing; `checks.py` reads the whole file. What a section may hold stands with what it is
for: a recipe in `models/recipe.py`, a dataset with its source in `data/`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from image_recipes.core.errors import UserError, did_you_mean, show_value
from image_recipes.core.yaml_file import read_yaml

PARAMS_FILE = Path("params.yaml")
# what a name in a section stands for, for errors
NAMED_THINGS = {"datasets": "dataset", "recipes": "recipe", "architectures": "architecture"}

Count = Annotated[int, Field(ge=1, le=10**9)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
SplitName = Literal["train", "validation", "test"]
# in this order wherever all are listed
SPLIT_NAMES = get_args(SplitName)


class Section(BaseModel):
    """Base of every section: types are strict, and an unknown key is refused."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def read_params() -> dict[str, Any]:
    """Read the whole of params.yaml as plain values, unvalidated.

    Raises:
        UserError: the file is missing, is not YAML, or holds no mapping.
    """
    params = read_yaml(PARAMS_FILE)
    if not isinstance(params, dict):
        raise UserError(f"{PARAMS_FILE}: must hold the keys seed, datasets, recipes and architectures")
    return params


def read_section(*path: str) -> Any:
    """Read one section of params.yaml, unvalidated.

    Args:
        path: the keys that lead to it, such as `"recipes", "mnist_mlp"`.

    Raises:
        UserError: there is no such section.
    """
    section: Any = read_params()
    for depth, key in enumerate(path):
        known = section if isinstance(section, dict) else {}
        if key not in known:
            where = ".".join(path[:depth])
            missing = f"no {NAMED_THINGS.get(where, 'key')} {show_value(key)}"
            raise UserError(f"{PARAMS_FILE}: {where or 'top level'}: {missing}: {did_you_mean(key, map(str, known))}")
        section = known[key]
    return section


def load_seed() -> int:
    """Load the seed of training.

    Raises:
        UserError: as all loaders here: the section is missing or does not validate.
    """
    return validate(Seed, read_section("seed"), "seed")


def load_dataset_name(recipe: str) -> str:
    """Load the name of a recipe's dataset, and nothing else of the recipe."""
    return validate(str, read_section("recipes", recipe, "dataset"), f"recipes.{recipe}.dataset")


def validate(schema: Any, section: Any, where: str) -> Any:
    """Validate a section.

    Args:
        schema: a pydantic model or annotated type.
        section: plain values from the file.
        where: the section's own key, such as `recipes.mnist_mlp`.

    Returns:
        What the schema makes of the section.

    Raises:
        UserError: one line for each finding, with the key and the remedy.
    """
    try:
        return TypeAdapter(schema).validate_python(section)
    except ValidationError as error:
        lines = dict.fromkeys(_describe(detail, schema, section, where) for detail in error.errors())
        raise UserError(*lines) from None


def _describe(detail: ErrorDetails, schema: Any, section: Any, where: str) -> str:
    if detail["type"] == "extra_forbidden":
        *parents, unknown = detail["loc"]
        for parent in parents:
            # a key of a mapping of sections is no field, nor is the tag of a union's member
            if parent in schema.model_fields:
                schema = _section_of(schema.model_fields[parent].annotation)
        key = _find_key(parents, section, where)
        return f"{PARAMS_FILE}: {key}: unknown key {show_value(unknown)}: {did_you_mean(unknown, schema.model_fields)}"
    key = _find_key(detail["loc"], section, where, missing=detail["type"] == "missing")
    value, context = detail["input"], detail.get("ctx", {})
    given = (
        f"not {show_value(value)}"
        if not isinstance(value, (dict, list))
        else f"not a {'mapping' if isinstance(value, dict) else 'list'}"
    )
    messages = {
        "missing": "missing: add it",
        "int_type": f"give a whole number, {given}",
        "int_from_float": f"give a whole number, {given}",
        "finite_number": f"give a finite number, {given}",
        "string_too_short": "give a text, not an empty one",
        "float_type": f"give a number, {given}",
        "string_type": f"give a text, {given}",
        "list_type": f"give a list, {given}",
        "too_short": "give at least one",
        "model_type": f"give a mapping of keys, {given}",
        "greater_than_equal": f"give at least {context.get('ge')}, {given}",
        "less_than_equal": f"give at most {context.get('le')}, {given}",
        "greater_than": f"give more than {context.get('gt')}, {given}",
        "less_than": f"give less than {context.get('lt')}, {given}",
        "literal_error": f"give {context.get('expected')}, {given}",
    }
    message = messages.get(detail["type"], detail["msg"].removeprefix("Value error, "))
    return f"{PARAMS_FILE}: {key}: {message}"


def _find_key(parts: Sequence[int | str], section: Any, where: str, missing: bool = False) -> str:
    """Return the key of the file that pydantic's path leads to; the last one may be missing."""
    key = where
    for position, part in enumerate(parts):
        inside = part in section if isinstance(section, dict) else isinstance(part, int)
        # pydantic adds the tag of a union's member to the path: no key of the file
        if inside or (missing and position == len(parts) - 1):
            key += f".{part}"
            section = section[part] if inside else None
    return key


def _section_of(annotation: Any) -> Any:
    # one that may be left out is annotated as itself or None; one of many as a mapping of them
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(
        (found for kind in get_args(annotation) if hasattr(found := _section_of(kind), "model_fields")), annotation
    )
