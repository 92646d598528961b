"""Stage `report`: show all recipes on one page."""

from pathlib import Path

from image_recipes.core.params import read_section
from image_recipes.core.running import run_stage
from image_recipes.report.page import load_recipe_names, write_report


def main() -> None:
    """Write the page: how good each recipe is, how sure that is, where it fails, how to repeat it."""
    write_report(load_recipe_names(read_section("datasets")), Path("plots/report.html"))


if __name__ == "__main__":
    run_stage(main)
