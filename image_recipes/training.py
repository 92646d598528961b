"""Training a model inside Keras's own `fit`."""

import math
from pathlib import Path

import numpy as np
from dvclive import Live
from dvclive.keras import DVCLiveCallback

from image_recipes.backend import keras
from image_recipes.errors import UserError
from image_recipes.pipelines import evaluation_batch_size, evaluation_batches, training_batches
from image_recipes.progress import Progress

LOSSES = {"classification": "sparse_categorical_crossentropy", "regression": "mse"}
METRICS = {"classification": ["accuracy"], "regression": []}
MONITORS = {"classification": "val_accuracy", "regression": "val_loss"}

# how many steps may run without coming back to Python, which bounds the wait for Ctrl-C
MAX_STEPS_PER_EXECUTION = 2_000


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Return the number of batches of an epoch; the last one may be smaller."""
    return math.ceil(images / batch_size)


def steps_per_execution(steps: int) -> int:
    """Choose how many of an epoch's steps run at one go.

    Args:
        steps: of an epoch.

    Returns:
        All of them, or the largest divisor near the limit: Keras runs whole executions, so
        others would go on into the next epoch. An epoch that has none runs at one go.
    """
    if steps <= MAX_STEPS_PER_EXECUTION:
        return steps
    near = range(max(1, MAX_STEPS_PER_EXECUTION // 10), MAX_STEPS_PER_EXECUTION + 1)
    return max((size for size in near if steps % size == 0), default=steps)


def train(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    *,
    task: str,
    epochs: int,
    batch_size: int,
    seed: int,
    live_dir: Path,
) -> None:
    """Train a model in place, validating after every epoch; the last weights stay.

    The model is left compiled, so that a loaded one can be evaluated and trained on.

    Args:
        model: as built, not compiled; its name is shown.
        optimizer: used by this training alone.
        training: images uint8 (N, H, W, C) and targets (N,).
        validation: the same, of other pictures.
        task: `classification` or `regression`; chooses loss and metrics.
        epochs: passes through the training pictures.
        batch_size: pictures a step.
        seed: of the order of the pictures.
        live_dir: where DVCLive logs the history while it grows.

    Raises:
        UserError: the loss of training or validation became infinite or not a number.
    """
    steps = steps_per_epoch(len(training[0]), batch_size)
    model.compile(
        optimizer,
        LOSSES[task],
        metrics=METRICS[task],
        steps_per_execution=steps_per_execution(steps),
        # XLA makes convolutions on a CPU many times slower
        jit_compile=False,
    )
    history = model.fit(
        training_batches(*training, batch_size, seed),
        epochs=epochs,
        steps_per_epoch=steps,
        validation_data=evaluation_batches(*validation, evaluation_batch_size(validation[0])),
        shuffle=False,
        verbose=0,
        callbacks=[
            DVCLiveCallback(live=Live(str(live_dir), dvcyaml=None, save_dvc_exp=False)),
            Progress(model.name, epochs, MONITORS[task]),
            keras.callbacks.TerminateOnNaN(),
        ],
    )
    if not all(math.isfinite(values[-1]) for values in history.history.values()):
        raise UserError(
            f"recipes.{model.name}: the loss is not finite in epoch {len(history.epoch)}: "
            "lower optimizer.learning_rate in params.yaml"
        )
    # whoever loads the model and trains it on gets Keras's defaults, not what suits this run
    model.compile(optimizer, LOSSES[task], metrics=METRICS[task])
