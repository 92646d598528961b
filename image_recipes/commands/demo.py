"""`image-recipes demo`: try trained recipes in a browser."""

from pathlib import Path

from image_recipes.commands.demo_server import serve
from image_recipes.commands.extras import require
from image_recipes.core.errors import UserError
from image_recipes.core.params import read_section
from image_recipes.models.recipe import load_recipe


def run_demo(recipe: str | None, port: int) -> None:
    """Serve a page for the recipes that are trained, until it is stopped.

    Args:
        recipe: the one to begin with.
        port: of this computer.

    Raises:
        UserError: nothing is trained, or not this one; Gradio is missing; the port is in use.
    """
    trained = [name for name in read_section("recipes") if Path(f"models/{name}.keras").exists()]
    if recipe:
        load_recipe(recipe)
        if recipe not in trained:
            raise UserError(f"models/{recipe}.keras: not found: train it by `make repro RECIPE={recipe}`")
        trained = [recipe, *(name for name in trained if name != recipe)]
    if not trained:
        raise UserError("no recipe is trained yet: train one, such as by `make repro RECIPE=dots_mlp`")
    require("demo", ["gradio"])
    serve(trained, port)
