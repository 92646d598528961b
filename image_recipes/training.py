"""Training a model inside Keras's own `fit`."""

import math
from collections.abc import Sequence
from pathlib import Path

from dvclive import Live

from image_recipes.backend import keras
from image_recipes.datasets import Subset
from image_recipes.errors import UserError
from image_recipes.execution import Execution, use_execution
from image_recipes.pipelines import evaluation_batch_size, evaluation_feed, fits_in_memory, training_feed
from image_recipes.progress import History, Progress

LOSSES = {"classification": "sparse_categorical_crossentropy", "regression": "mse"}
METRICS = {"classification": ["accuracy"], "regression": []}
MONITORS = {"classification": "val_accuracy", "regression": "val_loss"}


def steps_per_epoch(pictures: int, batch_size: int) -> int:
    """Return the number of batches of an epoch; the last one may be smaller."""
    return math.ceil(pictures / batch_size)


def train(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    training: Subset,
    validation: Subset,
    *,
    task: str,
    execution: Execution,
    epochs: int,
    batch_size: int,
    seed: int,
    live_dir: Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Train a model in place, validating after every epoch; the last weights stay.

    The model is left compiled, so that a loaded one can be evaluated and trained on.

    Args:
        model: as built, not compiled; its name is shown.
        optimizer: used by this training alone.
        training: pictures to learn from.
        validation: pictures to validate on.
        task: `classification` or `regression`; chooses loss and metrics.
        execution: how the steps are run.
        epochs: passes through the training pictures.
        batch_size: pictures a step.
        seed: of the order of the pictures.
        live_dir: where DVCLive logs the history while it grows.
        callbacks: of Keras, beside those for history and progress.

    Raises:
        UserError: the loss of training or validation became infinite or not a number.
    """
    resident = fits_in_memory(training, validation)
    training_pictures = training_feed(training, batch_size, seed, resident)
    validation_pictures = evaluation_feed(validation, evaluation_batch_size(validation), resident)
    model.compile(optimizer, LOSSES[task], metrics=METRICS[task], jit_compile=execution.jit_compile)
    use_execution(model, execution, training_pictures, validation_pictures)
    history = model.fit(
        training_pictures.executions,
        epochs=epochs,
        steps_per_epoch=training_pictures.per_epoch,
        validation_data=validation_pictures.executions,
        shuffle=False,
        verbose=0,
        callbacks=[
            History(live=Live(str(live_dir), dvcyaml=None, save_dvc_exp=False)),
            Progress(model.name, epochs, MONITORS[task]),
            keras.callbacks.TerminateOnNaN(),
            *callbacks,
        ],
    )
    if not all(math.isfinite(values[-1]) for values in history.history.values()):
        raise UserError(
            f"params.yaml: recipes.{model.name}: the loss is not finite in epoch {len(history.epoch)}: "
            "lower optimizer.learning_rate"
        )
    # whoever loads the model and trains it on gets Keras's defaults, not what suits this run
    model.compile(optimizer, LOSSES[task], metrics=METRICS[task])
