"""Training a model inside Keras's own `fit`."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from dvclive import Live

from image_recipes.backbones import unfreeze
from image_recipes.backend import keras
from image_recipes.datasets import DatasetInfo, Subset
from image_recipes.errors import UserError
from image_recipes.execution import Execution, choose_execution, share_cores, use_execution
from image_recipes.models import Scale, build_model
from image_recipes.optimizers import build_optimizer
from image_recipes.params import PARAMS_FILE, Layer, Recipe
from image_recipes.pipelines import evaluation_batch_size, evaluation_feed, fits_in_memory, training_feed
from image_recipes.progress import History, Progress

LOSSES = {"classification": "sparse_categorical_crossentropy", "regression": "mse"}
METRICS = {"classification": ["accuracy"], "regression": []}
MONITORS = {"classification": "val_accuracy", "regression": "val_loss"}


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Goes on from the best of an earlier training, which Keras's own forgets."""

    best_epoch = 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Take over the best so far."""
        kept = {name: getattr(self, name) for name in ("best", "best_weights", "best_epoch")}
        super().on_train_begin(logs)
        for name, value in kept.items():
            setattr(self, name, value)


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
    execution = choose_execution([*(recipe.augmentation or ()), *layers], recipe.jit_compile)
    share_cores(execution.parts)
    keras.utils.set_random_seed(seed)
    scale = _standardize(training.targets, name) if recipe.standardize_targets else None
    model = build_model(
        layers,
        info,
        recipe.precision,
        f"{PARAMS_FILE}: architectures.{recipe.architecture}",
        name,
        start_from=recipe.start_from,
        augmentation=recipe.augmentation or (),
        scale=scale,
    )
    class_weight = _balance(training.targets, len(info.classes or ())) if recipe.class_weight else None
    phases = [(recipe.optimizer, recipe.epochs, "optimizer")]
    if recipe.fine_tuning:
        phases.append((recipe.fine_tuning.optimizer, recipe.fine_tuning.epochs, "fine_tuning.optimizer"))
    stopping = EarlyStopping(**recipe.early_stopping.model_dump()) if recipe.early_stopping else None
    epochs = 0
    for number, (settings, more_epochs, key) in enumerate(phases):
        if number:
            unfreeze(model.get_layer("backbone"))
        steps = more_epochs * steps_per_epoch(len(training), recipe.batch_size)
        epochs = train(
            model,
            build_optimizer(settings, steps, f"{PARAMS_FILE}: recipes.{name}.{key}"),
            training,
            validation,
            task=info.task,
            execution=execution,
            epochs=epochs + more_epochs,
            first_epoch=epochs,
            batch_size=recipe.batch_size,
            seed=seed,
            live_dir=live_dir,
            class_weight=class_weight,
            # so that a rate suits numbers of any unit
            gradient_scale=1 / scale.deviation**2 if scale else 1.0,
            early_stopping=stopping,
            optimizer_key=key,
            callbacks=callbacks,
        )
    return model


def _standardize(targets: np.ndarray, name: str) -> Scale:
    scale = Scale(float(targets.mean(dtype=np.float64)), float(targets.std(dtype=np.float64)))
    if not scale.deviation:
        raise UserError(
            f"{PARAMS_FILE}: recipes.{name}.standardize_targets: all training pictures have the number {scale.mean:g}: "
            "there is nothing to learn"
        )
    return scale


def _balance(targets: np.ndarray, classes: int) -> list[float]:
    """Weigh classes so that each counts as much: N / (classes x its own), as scikit-learn's `balanced` does."""
    counts = np.bincount(targets, minlength=classes)
    return (len(targets) / (classes * np.maximum(counts, 1))).tolist()


def train(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    training: Subset,
    validation: Subset,
    *,
    task: str,
    execution: Execution,
    epochs: int,
    first_epoch: int = 0,
    batch_size: int,
    seed: int,
    live_dir: Path,
    class_weight: Sequence[float] | None = None,
    gradient_scale: float = 1.0,
    early_stopping: keras.callbacks.EarlyStopping | None = None,
    optimizer_key: str = "optimizer",
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> int:
    """Train a model in place, validating after every epoch; the last weights stay.

    The model is left compiled, so that a loaded one can be evaluated and trained on.

    Args:
        model: as built, not compiled; its name is shown.
        optimizer: used by this training alone.
        training: pictures to learn from.
        validation: pictures to validate on.
        task: `classification` or `regression`; chooses loss and metrics.
        execution: how the steps are run.
        epochs: passes through the training pictures, those before this training included.
        first_epoch: how many were before it, logged to the same folder.
        batch_size: pictures a step.
        seed: of the order of the pictures.
        live_dir: where DVCLive logs the history while it grows.
        class_weight: of each class, for the training loss.
        gradient_scale: by what the gradients of the training loss are multiplied.
        early_stopping: stops before the last epoch, and may go back to the best.
        optimizer_key: the optimizer's key in the recipe, for errors.
        callbacks: of Keras, beside those for history and progress.

    Returns:
        How many epochs there were, those before included.

    Raises:
        UserError: the loss of training or validation became infinite or not a number.
    """
    resident = fits_in_memory(training, validation)
    training_pictures = training_feed(training, batch_size, seed, resident, first_epoch)
    validation_pictures = evaluation_feed(validation, evaluation_batch_size(validation), resident)
    model.compile(optimizer, LOSSES[task], metrics=METRICS[task], jit_compile=execution.jit_compile)
    use_execution(model, execution, training_pictures, validation_pictures, class_weight, gradient_scale)
    live = Live(str(live_dir), resume=first_epoch > 0, dvcyaml=None, save_dvc_exp=False)
    live.step = first_epoch
    history = model.fit(
        training_pictures.executions,
        epochs=epochs,
        initial_epoch=first_epoch,
        steps_per_epoch=training_pictures.per_epoch,
        validation_data=validation_pictures.executions,
        shuffle=False,
        verbose=0,
        callbacks=[
            History(live=live),
            Progress(model.name, epochs, first_epoch, MONITORS[task]),
            keras.callbacks.TerminateOnNaN(),
            *([early_stopping] if early_stopping else []),
            *callbacks,
        ],
    )
    done = first_epoch + len(history.epoch)
    if not all(math.isfinite(values[-1]) for values in history.history.values()):
        raise UserError(
            f"{PARAMS_FILE}: recipes.{model.name}: the loss is not finite in epoch {done}: "
            f"lower {optimizer_key}.learning_rate"
        )
    if early_stopping:
        kept = "whose weights are kept" if early_stopping.restore_best_weights else "but the last weights are kept"
        best = f"best {early_stopping.monitor} in epoch {early_stopping.best_epoch + 1}"
        print(f"{model.name}: {done} epochs, {best}, {kept}", file=sys.stderr)
    # whoever loads the model and trains it on gets Keras's defaults, not what suits this run
    model.compile(optimizer, LOSSES[task], metrics=METRICS[task])
    return done
