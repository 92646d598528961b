"""This project, as the stage `train` runs a recipe: DVCLive, progress and all."""

import shutil
import tempfile
from pathlib import Path

from dvclive import Live

from benchmarks.contender import ROOT, SEED, Laps, Work, compete
from image_recipes.core.dataset import load_prepared, load_split
from image_recipes.models.backend import keras, tf
from image_recipes.models.recipe import FEATURES_FOLDER, Recipe, load_recipe
from image_recipes.training.digests import digest_training
from image_recipes.training.fit import train_recipe
from image_recipes.training.progress import LiveLog


class TimeEpochs(keras.callbacks.Callback):
    """Start the laps with `fit`, and end one with each epoch."""

    def __init__(self, laps: Laps, monitor: str) -> None:
        super().__init__()
        self.laps, self.monitor = laps, monitor

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the first; pictures and model are at hand. What comes before fine-tuning is of its first epoch."""
        if not self.laps.seconds:
            self.laps.start()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """End it, after Keras's validation."""
        self.laps.end_epoch((logs or {})[self.monitor])


def run_recipe(recipe: Recipe, folder: Path, epochs: int, seed: int, laps: Laps) -> keras.Model:
    """Train a recipe on a prepared dataset.

    Args:
        recipe: as in params.yaml; its epochs are not regarded, nor when it would stop early.
        folder: holds the prepared dataset and its split.
        epochs: how many.
        seed: of training.
        laps: started and ended here.

    Returns:
        The trained model.
    """
    prepared = load_prepared(folder)
    splits = {split: prepared.subset(load_split(folder / "split", split)) for split in ("train", "validation")}
    with tempfile.TemporaryDirectory() as live_folder, Live(live_folder, dvcyaml=None, save_dvc_exp=False) as live:
        callbacks = [LiveLog(live=live), TimeEpochs(laps, prepared.info.task.progress_metric)]
        recipe = recipe.with_settings(epochs=epochs, early_stopping=None)
        # as the stage does, so that what it costs to keep states is counted
        states = Path(live_folder, "unfinished", digest_training(recipe, prepared.info, seed))
        return train_recipe(recipe, prepared.info, splits, seed, callbacks, states).model


def main(work: Work, laps: Laps) -> tuple[int, str]:
    """Train."""
    recipe = load_recipe(work.recipe)
    if Path.cwd() != ROOT:
        # of a small task, what a run before has kept would be no work; a person's own is left alone
        shutil.rmtree(FEATURES_FOLDER / recipe.settings.dataset, ignore_errors=True)
    model = run_recipe(recipe, work.folder, work.epochs, SEED, laps)
    return model.count_params(), "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


if __name__ == "__main__":
    compete(main, "tensorflow", "keras")
