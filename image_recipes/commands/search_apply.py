"""A search's winner in params.yaml: the recipe changed, or a new one beside it."""

import io
import sys
from collections.abc import Mapping
from typing import Any

from dvc.utils.serialize import parse_yaml, parse_yaml_for_update
from ruamel.yaml import YAML

from image_recipes.checks import check_name
from image_recipes.commands.params_file import changing_params, write_params
from image_recipes.core.errors import UserError
from image_recipes.core.files import written_whole
from image_recipes.core.params import PARAMS_FILE, read_params
from image_recipes.search.definition import Definition
from image_recipes.search.paths import get_value, parse_path
from image_recipes.search.settings import Search

LONGEST_LINE = 10_000


def check_new_name(name: str) -> None:
    """Check that a recipe may be called so.

    Raises:
        UserError: it may not, or there is one, or an architecture of the name.
    """
    check_name("recipes", name)
    params = read_params()
    for section in ("recipes", "architectures"):
        if name in params[section]:
            raise UserError(f"{PARAMS_FILE}: {section}.{name}: is there already: choose another name for --as")


def apply_winner(definition: Definition, values: Mapping[str, Any], new_name: str | None) -> None:
    """Write a trial's values into params.yaml; comments stay, and so do all lines that are laid out as DVC does.

    Args:
        definition: of the search.
        values: of the trial, by path.
        new_name: of a recipe that is added; None to change the recipe itself.

    Raises:
        UserError: others use the architecture that would change, or the file has changed since the search began.
    """
    search, name = definition.search, new_name or definition.search.settings.recipe
    with changing_params():
        if read_params() != search.params:
            raise UserError(f"{PARAMS_FILE}: has changed since the search began: run the same command again")
        if new_name:
            check_new_name(new_name)
            write_params(_as_new_recipe(search, values, new_name))
        else:
            _refuse_shared(search, values)
            before = PARAMS_FILE.read_bytes().decode("utf-8")
            text = write_values(before.replace("\r\n", "\n"), values)
            if parse_yaml(text, str(PARAMS_FILE)) != search.at(values):
                raise UserError(f"{PARAMS_FILE}: an anchor (&) would change more than the winner: use --as NEWNAME")
            with written_whole(PARAMS_FILE) as partial:
                partial.write_bytes((text.replace("\n", "\r\n") if "\r\n" in before else text).encode("utf-8"))
    print(f"{PARAMS_FILE}: {'new: ' if new_name else ''}recipes.{name}")
    print(f"next: image-recipes repro {search.params['recipes'][search.settings.recipe]['dataset']}", file=sys.stderr)


def write_values(text: str, values: Mapping[str, Any]) -> str:
    """Write values into the text of params.yaml, as DVC does for an experiment, but that no line is wrapped.

    Args:
        text: of the file.
        values: by path.
    """
    params = parse_yaml_for_update(text, str(PARAMS_FILE))
    for path, value in values.items():
        *parents, last = parse_path(path)
        section = get_value(params, tuple(parents))
        # what is equal keeps its line as it is, such as 1e-3
        if section[last] != value:
            section[last] = value
    yaml, stream = YAML(), io.StringIO()
    yaml.default_flow_style = False
    yaml.width = LONGEST_LINE
    yaml.dump(params, stream)
    return stream.getvalue()


def _as_new_recipe(search: Search, values: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    params = search.at(values)
    recipe = params["recipes"][search.settings.recipe]
    architecture = recipe["architecture"]
    if params["architectures"][architecture] == search.params["architectures"][architecture]:
        return {"recipes": {name: recipe}}
    layers = params["architectures"][architecture]
    return {"recipes": {name: {**recipe, "architecture": name}}, "architectures": {name: layers}}


def _refuse_shared(search: Search, values: Mapping[str, Any]) -> None:
    """Refuse to change an architecture that other recipes use too."""
    params = search.at(values)
    changed = [
        name for name, layers in params["architectures"].items() if layers != search.params["architectures"][name]
    ]
    for name in changed:
        others = [
            recipe
            for recipe, section in params["recipes"].items()
            if section["architecture"] == name and recipe != search.settings.recipe
        ]
        if others:
            raise UserError(
                f"{PARAMS_FILE}: architectures.{name}: {', '.join(others)} would change too: "
                "make a new recipe by --as NEWNAME"
            )
