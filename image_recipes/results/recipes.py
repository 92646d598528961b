"""Which recipes a dataset has, as the stage `check` wrote it."""

from pathlib import Path

from image_recipes.core.loading import by_stage, loading


def load_recipe_names(dataset: str) -> list[str]:
    """Load the names of all recipes of a dataset, in the order of params.yaml.

    Raises:
        UserError: the file is missing or damaged.
    """
    file = Path(f"data/checked/{dataset}.txt")
    with loading(file, by_stage("check")):
        return file.read_text("utf-8").split()
