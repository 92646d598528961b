"""Stage `train`: train a recipe's model."""

from pathlib import Path

from image_recipes.archives import save_model, summarize
from image_recipes.backend import keras
from image_recipes.datasets import load_prepared, load_split
from image_recipes.execution import choose_execution, share_cores
from image_recipes.files import write_text
from image_recipes.histories import join_history, save_history
from image_recipes.models import build_model
from image_recipes.optimizers import build_optimizer
from image_recipes.params import PARAMS_FILE, load_architecture, load_recipe, load_seed
from image_recipes.stage import run_stage
from image_recipes.training import steps_per_epoch, train


def main(recipe: str) -> None:
    """Train a recipe on its dataset's training pictures."""
    settings, seed = load_recipe(recipe), load_seed()
    layers = load_architecture(settings.architecture)
    prepared = load_prepared(Path("data/prepared") / settings.dataset)
    training, validation = (
        prepared.subset(load_split(Path("data/split") / settings.dataset, name)) for name in ("train", "validation")
    )

    execution = choose_execution(layers, settings.jit_compile)
    share_cores(execution.parts)
    keras.utils.set_random_seed(seed)
    where = f"{PARAMS_FILE}: architectures.{settings.architecture}"
    model = build_model(layers, prepared.info, settings.precision, where, name=recipe)
    summary = summarize(model)
    steps = settings.epochs * steps_per_epoch(len(training), settings.batch_size)
    optimizer = build_optimizer(settings.optimizer, steps, where=f"{PARAMS_FILE}: recipes.{recipe}.optimizer")
    live_dir = Path("dvclive") / recipe
    train(
        model,
        optimizer,
        training,
        validation,
        task=prepared.info.task,
        execution=execution,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        seed=seed,
        live_dir=live_dir,
    )

    save_model(model, Path(f"models/{recipe}.keras"))
    write_text(summary, Path(f"models/{recipe}.txt"))
    save_history(join_history(live_dir), Path(f"plots/history/{settings.dataset}/{recipe}.csv"))


if __name__ == "__main__":
    run_stage(main)
