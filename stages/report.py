"""Stage `report`: show all recipes on one page."""

from pathlib import Path

from image_recipes.core.params import read_section
from image_recipes.core.running import run_stage
from image_recipes.report.page import write_report
from image_recipes.results.recipes import load_recipe_names


def main() -> None:
    """Write the page: how good each recipe is, how sure that is, where it fails, how to repeat it."""
    recipes = {dataset: load_recipe_names(dataset) for dataset in read_section("datasets")}
    write_report(recipes, Path("plots/report.html"))


if __name__ == "__main__":
    run_stage(main)
