"""`image-recipes check`: what `repro` asks before DVC reads params.yaml."""

import sys
from collections.abc import Collection

from image_recipes.checks import check_params, check_raw_files, find_leftovers
from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.params import PARAMS_FILE


def check_project(names: Collection[str]) -> dict[str, list[str]]:
    """Check params.yaml, that the names are known, and that the raw files exist.

    Args:
        names: recipes, or datasets for all of their recipes; then only their raw files must exist.
            Without any, all are meant.

    Returns:
        The recipes that are meant, by dataset.

    Raises:
        UserError: a line for each finding.
    """
    known = check_params()
    for name in names:
        if not any(name == dataset or name in recipes for dataset, recipes in known.items()):
            suggestion = did_you_mean(name, {*known, *(recipe for recipes in known.values() for recipe in recipes)})
            raise UserError(f"{PARAMS_FILE}: no recipe or dataset {name!r}: {suggestion}")
    meant = {
        dataset: [recipe for recipe in recipes if not names or dataset in names or recipe in names]
        for dataset, recipes in known.items()
    }
    meant = {dataset: recipes for dataset, recipes in meant.items() if recipes}
    check_raw_files(meant)
    if leftovers := find_leftovers(known):
        print(f"note: left from recipes that are gone; to remove: rm {' '.join(map(str, leftovers))}", file=sys.stderr)
    return meant
