"""Training a recipe's model inside Keras's own `fit`."""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.core.errors import UserError
from image_recipes.models.backbones import backbone_place, unfreeze
from image_recipes.models.backend import keras
from image_recipes.models.build import Scale, build_model
from image_recipes.models.compiling import Objective, make_objective
from image_recipes.models.feeding import evaluation_batch_size, evaluation_feed, fits_in_memory, shuffled_feed
from image_recipes.models.optimizers import build_optimizer
from image_recipes.models.recipe import BACKBONE, FEATURES_FOLDER, Optimizer, Recipe, RecipeSettings, find_unsuited
from image_recipes.training.adapting import adapt_normalization
from image_recipes.training.callbacks import JudgeAverages, lower_on_plateau, stop_early
from image_recipes.training.class_weights import weigh_classes
from image_recipes.training.features import Halves, compute_features, divide, is_frozen
from image_recipes.training.progress import Progress, log_again, tell_resumed, tell_start
from image_recipes.training.resuming import KeepState
from image_recipes.training.states import Logs, State, StateFile, take_state
from image_recipes.training.steps import (
    Execution,
    Weighting,
    choose_execution,
    depends_on_batches,
    share_cores,
    use_execution,
)
from image_recipes.training.trivial import TrivialAnswer, find_trivial
from image_recipes.training.watch import Watch


class Phase(NamedTuple):
    """A training with an optimizer of its own.

    Attributes:
        optimizer: its settings.
        epochs: passes through the training pictures, at most.
        key: the optimizer's key in the recipe, for errors.
    """

    optimizer: Optimizer
    epochs: int
    key: str


class TrainedModel(NamedTuple):
    """What training makes.

    Attributes:
        model: with its last weights, or the best if early stopping restores them; compiled, so
            that it can be evaluated and trained on.
        history: a row for each epoch: `epoch` from 1, then Keras's names, such as `accuracy`,
            `loss`, `val_accuracy`, `val_loss`.
    """

    model: keras.Model
    history: pd.DataFrame


def list_phases(settings: RecipeSettings) -> list[Phase]:
    """List a recipe's trainings, in order: all layers, or first those after a frozen backbone."""
    phases = [Phase(settings.optimizer, settings.epochs, "optimizer")]
    if settings.fine_tuning:
        phases.append(Phase(settings.fine_tuning.optimizer, settings.fine_tuning.epochs, "fine_tuning.optimizer"))
    return phases


def train_recipe(
    recipe: Recipe,
    info: DatasetInfo,
    splits: Mapping[str, Subset],
    seed: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    states: Path | None = None,
) -> TrainedModel:
    """Build a recipe's model and train it. Call it before any other TensorFlow operation, see `share_cores`.

    A training that was stopped goes on from its last state in `states`, to the same model and history.

    Args:
        recipe: what to train.
        info: of its dataset.
        splits: `train`, to learn from, and `validation`, to judge by after every epoch.
        seed: of the first weights, of dropout and of the order of the pictures.
        callbacks: of Keras, beside those for progress and stopping; they see all phases.
        states: a folder, see `states_folder`; None to keep none.

    Raises:
        UserError: settings, layers or optimizer do not fit, or the loss is not finite.
    """
    settings, targets = recipe.settings, splits["train"].targets
    if unsuited := find_unsuited(settings, info.task):
        raise UserError(*(f"{recipe.key}.{line}" for line in unsuited))
    execution = choose_execution([*(settings.augmentation or ()), *recipe.layers], settings.jit_compile)
    share_cores(execution.parts)
    keras.utils.set_random_seed(seed)
    scale = _standardize(recipe, targets) if settings.standardize_targets else None
    objective = make_objective(recipe, info, scale)
    trivial = find_trivial(info, targets, splits["validation"].targets, objective)
    tell_start(recipe, splits, trivial)
    model = build_model(recipe, info, scale)
    adapt_normalization(model, splits["train"])
    weighting = Weighting(
        class_weight=weigh_classes(recipe, info, targets) if settings.class_weight else None,
        # so that a learning rate suits numbers of any unit
        gradient_scale=1 / scale.deviation**objective.degree if scale else 1.0,
    )
    file = StateFile(states, recipe, splits, model)
    fit = _Fit(model, recipe, objective, splits, seed, execution, weighting, trivial, file)
    stopping, plateau = stop_early(recipe, objective), lower_on_plateau(recipe, objective)
    callbacks = [
        # first, so that all others see the learning rate
        *([plateau] if plateau else []),
        *callbacks,
        keras.callbacks.TerminateOnNaN(),
        *([stopping] if stopping else []),
    ]
    state, phases = file.load(), list_phases(settings)
    if state:
        tell_resumed(recipe, len(state.rows), sum(phase.epochs for phase in phases))
    rows = state.rows if state else []
    for number, phase in enumerate(phases):
        if number:
            unfreeze(model.get_layer(BACKBONE))
        if state and number < state.phase:
            continue
        rows = fit.run(phase, state or State.at_start(number, rows), callbacks)
        state = None
        _check_finite(recipe, phase, rows)
        if stopping:
            _tell_best(recipe, stopping, len(rows))
    if state:
        fit.finish(phases[-1], state)
        log_again(callbacks, rows)
    elif file.is_due():
        file.save(take_state(model, len(phases), 0, rows))
    return TrainedModel(model, _tidy(pd.DataFrame(rows)))


class _Fit(NamedTuple):
    """What is the same in all phases of a training."""

    model: keras.Model
    recipe: Recipe
    objective: Objective
    splits: Mapping[str, Subset]
    seed: int
    execution: Execution
    weighting: Weighting
    trivial: TrivialAnswer
    file: StateFile

    def run(self, phase: Phase, start: State, callbacks: Sequence[keras.callbacks.Callback]) -> list[Logs]:
        """Train through a phase, or the rest of it, and return the logs of all epochs so far."""
        optimizer = self._build_optimizer(phase)
        fit = self._on_features() if is_frozen(self.model) else self
        rows = fit._run(phase, start, optimizer, callbacks)
        # frees the pictures that are held resident; and whoever loads the model and trains it on gets
        # Keras's defaults, not what suits this run
        self.objective.compile(self.model, optimizer)
        return rows

    def finish(self, phase: Phase, state: State) -> None:
        """Bring a model to the state that its last phase ended in."""
        optimizer = self._build_optimizer(phase)
        self.objective.compile(self.model, optimizer)
        state.restore(self.model, optimizer)

    def _build_optimizer(self, phase: Phase) -> keras.optimizers.Optimizer:
        steps = phase.epochs * math.ceil(len(self.splits["train"]) / self.recipe.settings.batch_size)
        return build_optimizer(phase.optimizer, steps, f"{self.recipe.key}.{phase.key}")

    def _on_features(self) -> "_Fit":
        """Train what comes after the frozen backbone alone, on what that makes of the pictures, if it can be."""
        name, settings = self.recipe.name, self.recipe.settings
        halves = divide(self.model)
        if not isinstance(halves, Halves):
            print(
                f"{name}: the frozen network computes every picture again in every epoch, since {halves} in front of "
                "it changes them from epoch to epoch: without that, it would be done once",
                file=sys.stderr,
            )
            return self
        features = compute_features(halves.fixed, self.splits, FEATURES_FOLDER / settings.dataset, name)
        after = self.recipe.layers[(backbone_place(self.recipe.layers) or 0) + 1 :]
        execution = choose_execution(after, settings.jit_compile)
        # the cores are shared by then
        execution = execution._replace(parts=min(execution.parts, self.execution.parts))
        return self._replace(model=halves.trained, splits=features, execution=execution)

    def _run(
        self,
        phase: Phase,
        start: State,
        optimizer: keras.optimizers.Optimizer,
        callbacks: Sequence[keras.callbacks.Callback],
    ) -> list[Logs]:
        training, validation = self.splits["train"], self.splits["validation"]
        batch_size = self.recipe.settings.batch_size
        resident = fits_in_memory(training, validation)
        done, epochs = len(start.rows), start.begun + phase.epochs
        training_feed = shuffled_feed(training, batch_size, self.seed, resident, first_epoch=done)
        validation_size = batch_size
        if not depends_on_batches(self.recipe.layers):
            validation_size = evaluation_batch_size(validation, self.model)
        validation_feed = evaluation_feed(validation, validation_size, resident)
        self.objective.compile(self.model, optimizer, jit_compile=self.execution.jit_compile)
        encode = self.objective.encode
        use_execution(self.model, self.execution, training_feed, validation_feed, self.weighting, encode)
        callbacks = [
            *([JudgeAverages()] if optimizer.use_ema else []),
            *callbacks,
            Progress(self.recipe.name, epochs, done, self.trivial.shown_as, self.trivial.figure),
            Watch(self.recipe, self.objective.task, training, self.trivial),
        ]
        keeper = KeepState(self.file, start, callbacks, epochs)
        self.model.fit(
            training_feed.executions,
            epochs=epochs,
            initial_epoch=done,
            steps_per_epoch=training_feed.per_epoch,
            validation_data=validation_feed.executions,
            shuffle=False,
            verbose=0,
            callbacks=[*callbacks, keeper],
        )
        return keeper.rows


def _standardize(recipe: Recipe, targets: np.ndarray) -> Scale:
    scale = Scale(float(targets.mean(dtype=np.float64)), float(targets.std(dtype=np.float64)))
    if not scale.deviation:
        raise UserError(
            f"{recipe.key}.standardize_targets: all training pictures have the number {scale.mean:g}: "
            "there is nothing to learn"
        )
    return scale


def _check_finite(recipe: Recipe, phase: Phase, rows: Sequence[Logs]) -> None:
    if not all(map(math.isfinite, rows[-1].values())):
        raise UserError(f"{recipe.key}: the loss is not finite in epoch {len(rows)}: lower {phase.key}.learning_rate")


def _tell_best(recipe: Recipe, stopping: keras.callbacks.EarlyStopping, epochs: int) -> None:
    kept = "whose weights are kept" if stopping.restore_best_weights else "but the last weights are kept"
    best = f"best {stopping.monitor} in epoch {stopping.best_epoch + 1}"
    print(f"{recipe.name}: {epochs} epochs, {best}, {kept}", file=sys.stderr)


def _tidy(history: pd.DataFrame) -> pd.DataFrame:
    names = sorted(history.columns, key=lambda name: (name.startswith("val_"), name))
    tidy = history[names]
    tidy.insert(0, "epoch", tidy.index + 1)
    return tidy
