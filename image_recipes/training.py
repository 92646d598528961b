"""Training a model inside Keras's own `fit`."""

import math
from collections.abc import Sequence
from pathlib import Path

from dvclive import Live

from image_recipes.backend import keras
from image_recipes.datasets import DatasetInfo, Subset
from image_recipes.errors import UserError
from image_recipes.execution import Execution, choose_execution, share_cores, use_execution
from image_recipes.models import build_model
from image_recipes.optimizers import build_optimizer
from image_recipes.params import PARAMS_FILE, Layer, Recipe
from image_recipes.pipelines import evaluation_batch_size, evaluation_feed, fits_in_memory, training_feed
from image_recipes.progress import History, Progress

LOSSES = {"classification": "sparse_categorical_crossentropy", "regression": "mse"}
METRICS = {"classification": ["accuracy"], "regression": []}
MONITORS = {"classification": "val_accuracy", "regression": "val_loss"}


def steps_per_epoch(pictures: int, batch_size: int) -> int:
    """Return the number of batches of an epoch; the last one may be smaller."""
    return math.ceil(pictures / batch_size)


def train_recipe(
    name: str,
    recipe: Recipe,
    layers: Sequence[Layer],
    info: DatasetInfo,
    training: Subset,
    validation: Subset,
    *,
    seed: int,
    live_dir: Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.Model:
    """Build a recipe's model and train it, for this process's first TensorFlow operations.

    Args:
        name: the recipe's, and its model's.
        recipe: as in params.yaml.
        layers: its architecture.
        info: its dataset's.
        training: pictures to learn from.
        validation: pictures to validate on.
        seed: of the first weights, of dropout and of the order of the pictures.
        live_dir: where DVCLive logs the history while it grows.
        callbacks: of Keras, beside those for history and progress.

    Returns:
        The model with its last weights, compiled, so that it can be evaluated and trained on.

    Raises:
        UserError: layers or optimizer do not fit, or the loss is not finite.
    """
    execution = choose_execution(layers, recipe.jit_compile)
    share_cores(execution.parts)
    keras.utils.set_random_seed(seed)
    where = f"{PARAMS_FILE}: architectures.{recipe.architecture}"
    model = build_model(layers, info, recipe.precision, where, name)
    steps = recipe.epochs * steps_per_epoch(len(training), recipe.batch_size)
    optimizer = build_optimizer(recipe.optimizer, steps, f"{PARAMS_FILE}: recipes.{name}.optimizer")
    train(
        model,
        optimizer,
        training,
        validation,
        task=info.task,
        execution=execution,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        seed=seed,
        live_dir=live_dir,
        callbacks=callbacks,
    )
    return model


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
