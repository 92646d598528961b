"""`image-recipes check`: what `make repro` asks before DVC reads params.yaml."""

import sys

from image_recipes.checks import check_params, check_raw_files, find_leftovers
from image_recipes.models.recipe import load_recipe


def check_project(recipe: str | None) -> None:
    """Check params.yaml, that the raw files exist, and that a recipe is known.

    Args:
        recipe: one that must exist; then only its own raw files must.

    Raises:
        UserError: a line for each finding.
    """
    leftovers = find_leftovers(check_params())
    check_raw_files(recipe)
    if leftovers:
        print(f"note: left from recipes that are gone; to remove: rm {' '.join(map(str, leftovers))}", file=sys.stderr)
    if recipe:
        load_recipe(recipe)
