"""Stage `train`: train a recipe's model."""

from pathlib import Path

from image_recipes.archives import save_model, summarize
from image_recipes.datasets import load_prepared, load_split
from image_recipes.files import write_text
from image_recipes.histories import join_history, save_history
from image_recipes.params import load_architecture, load_recipe, load_seed
from image_recipes.stage import run_stage
from image_recipes.training import train_recipe


def main(recipe: str) -> None:
    """Train a recipe on its dataset's training pictures."""
    settings, seed = load_recipe(recipe), load_seed()
    layers = load_architecture(settings.architecture)
    prepared = load_prepared(Path("data/prepared") / settings.dataset)
    training, validation = (
        prepared.subset(load_split(Path("data/split") / settings.dataset, name)) for name in ("train", "validation")
    )
    live_dir = Path("dvclive") / recipe

    model = train_recipe(recipe, settings, layers, prepared.info, training, validation, seed=seed, live_dir=live_dir)

    save_model(model, prepared.info, Path(f"models/{recipe}.keras"))
    write_text(summarize(model), Path(f"models/{recipe}.txt"))
    save_history(join_history(live_dir), Path(f"plots/history/{settings.dataset}/{recipe}.csv"))


if __name__ == "__main__":
    run_stage(main)
