"""The command `image-recipes`."""

import argparse
import sys

from image_recipes.checks import check_params, check_raw_files, find_leftovers
from image_recipes.params import load_recipe
from image_recipes.stage import exit_on_user_error


def check(recipe: str | None) -> None:
    """Check params.yaml, that the raw files exist, and that a recipe is known."""
    leftovers = find_leftovers(check_params())
    check_raw_files()
    if leftovers:
        print(f"note: left from recipes that are gone; to remove: rm {' '.join(map(str, leftovers))}", file=sys.stderr)
    if recipe:
        load_recipe(recipe)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="image-recipes", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("check", help="check params.yaml before DVC reads it", description=check.__doc__)
    command.add_argument("recipe", nargs="?", help="a recipe that must exist")
    command.set_defaults(run=check)
    arguments = vars(parser.parse_args())
    run = arguments.pop("run")
    exit_on_user_error(lambda: run(**arguments))
