"""Stage `report`: show all recipes on one page."""

from pathlib import Path

from image_recipes.params import read_section
from image_recipes.reporting import load_recipe_names, write_report
from image_recipes.stage import run_stage


def main() -> None:
    """Write the page: how good each recipe is, how sure that is, where it fails, how to repeat it."""
    write_report(load_recipe_names(read_section("datasets")), Path("plots/report.html"))


if __name__ == "__main__":
    run_stage(main)
