"""Watching whether training learns anything, and telling the usual cause if it does not."""

import itertools
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from image_recipes.core.dataset import Subset
from image_recipes.core.tasks import Task
from image_recipes.models.backbones import list_leaves
from image_recipes.models.backend import keras
from image_recipes.models.recipe import BACKBONE, RANDOM, Recipe
from image_recipes.training.trivial import TrivialAnswer

# of epochs, after those in which a learning rate warms up, without a gain over the trivial answer; a shorter
# training is judged at its end
PATIENCE = 10
# of the trivial answer's loss, and of its errors, which luck changes more: closer to it is no gain
NO_GAIN_OF_LOSS, NO_GAIN_OF_ERRORS = 0.95, 0.8
PICTURES_TRIED = 64
# shares: of units that answer nothing, of the pictures that one class has, of a figure's first value
MANY_DEAD, MOST, MUCH_LEFT = 0.9, 0.8, 0.02
# of BatchNormalization, for few steps
SUITED_MOMENTUM = 0.9
# of a loss, as a factor: less is no rise; and of so few epochs nothing is said
RISE, FEWEST_EPOCHS = 1.01, 3


class Watched(NamedTuple):
    """What a cause is looked for in.

    Attributes:
        recipe: what is trained.
        task: of its dataset.
        model: that is trained, in its present state.
        training: what it learns from.
        trivial: what it does not beat.
        logs: Keras's figures of each epoch so far.
    """

    recipe: Recipe
    task: Task
    model: keras.Model
    training: Subset
    trivial: TrivialAnswer
    logs: Sequence[dict[str, float]]

    @property
    def training_errors(self) -> tuple[float, float]:
        """The error of the training pictures now, and by the trivial answer."""
        figure = self.logs[-1][self.trivial.shown_as.removeprefix("val_")]
        return self.task.error(figure), self.task.error(self.trivial.figure_of(self.training.targets, self.task))


class Watch(keras.callbacks.Callback):
    """Warn once if the validation pictures are answered no better than by the trivial answer.

    Args:
        recipe: what is trained.
        task: of its dataset.
        training: what it learns from, as the model takes it.
        trivial: the trivial answer.
    """

    def __init__(self, recipe: Recipe, task: Task, training: Subset, trivial: TrivialAnswer) -> None:
        super().__init__()
        self.recipe, self.task, self.training, self.trivial = recipe, task, training, trivial
        self.logs: list[dict[str, float]] = []
        self.last_epoch = 0
        self.patience = PATIENCE

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Wait longer where the learning rate rises first."""
        rate = self.model.optimizer.get_config().get("learning_rate")
        warmup_steps = rate["config"].get("warmup_steps", 0) if isinstance(rate, dict) else 0
        steps = math.ceil(len(self.training) / self.recipe.settings.batch_size)
        self.patience = PATIENCE + math.ceil(warmup_steps / steps)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Take the figures down, and judge once."""
        self.logs.append(dict(logs or {}))
        self.last_epoch = epoch
        if len(self.logs) == self.patience:
            self._judge()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Judge a training that was shorter, or stopped early."""
        if 0 < len(self.logs) < self.patience:
            self._judge()

    def get_state(self) -> dict[str, Any]:
        """Return how many epochs it has seen."""
        return {"seen": len(self.logs)}

    def set_state(self, state: Mapping[str, Any], rows: Sequence[dict[str, float]]) -> None:
        """Look on: what is to be said of the epochs before has been."""
        self.logs, self.last_epoch = [*rows[len(rows) - state["seen"] :]], len(rows) - 1

    def _judge(self) -> None:
        # of a loss that is not finite, an error says more
        if self._has_learned() or not math.isfinite(self.logs[-1]["loss"]):
            return
        watched = Watched(self.recipe, self.task, self.model, self.training, self.trivial, self.logs)
        to_beat = f"{self.trivial.words} ({self.trivial.shown_as}={self.trivial.figure:.4g})"
        after = f"after {self.last_epoch + 1} epochs"
        print(
            f"warning: {self.recipe.name}: {after} no better than {to_beat}: {find_cause(watched)}",
            file=sys.stderr,
            flush=True,
        )

    def _has_learned(self) -> bool:
        metric, error = self.trivial.shown_as, self.task.error
        # what regularizers add is no part of the trivial answer's; that of outputs is not known here
        weights = [weight for weight in self.model.trainable_weights if weight.regularizer is not None]
        penalty = sum(float(weight.regularizer(weight)) for weight in weights)
        loss = min(log["val_loss"] for log in self.logs) - penalty
        latest = float(np.mean([error(log[metric]) for log in self.logs[-3:]]))
        return loss < NO_GAIN_OF_LOSS * self.trivial.loss or latest < NO_GAIN_OF_ERRORS * error(self.trivial.figure)


def find_cause(watched: Watched) -> str:
    """Say which usual cause fits, and what to do."""
    return next(cause for look in CAUSES if (cause := look(watched)))


def _not_standardized(watched: Watched) -> str | None:
    targets = watched.training.targets
    if "standardize_targets" not in watched.task.options or watched.recipe.settings.standardize_targets:
        return None
    mean, deviation = float(targets.mean()), float(targets.std())
    if 0.1 < deviation < 10 and abs(mean) < 10 * deviation:
        return None
    return f"the numbers lie around {mean:.4g} +- {deviation:.4g}: set standardize_targets: true"


def _unbalanced(watched: Watched) -> str | None:
    if "class_weight" not in watched.task.options or watched.recipe.settings.class_weight:
        return None
    share = watched.trivial.figure_of(watched.training.targets, watched.task)
    if share < MOST:
        return None
    return f"{share:.0%} of the training pictures have one class: set class_weight: balanced"


def _normalization_lags(watched: Watched) -> str | None:
    steps = len(watched.logs) * math.ceil(len(watched.training) / watched.recipe.settings.batch_size)
    listed = [layer for layer in watched.model.layers if layer.name != BACKBONE]
    momentums = [
        layer.momentum
        for layer in list_leaves(listed)
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]
    slowest = max(momentums, default=0.0)
    # what is left of the first figures, which no picture has had a part in
    if slowest <= SUITED_MOMENTUM or slowest**steps < MUCH_LEFT:
        return None
    return (
        f"after {steps:,} steps BatchNormalization still goes by the figures that it began with: "
        f"give it momentum: {SUITED_MOMENTUM}, or train for more epochs"
    )


def _learned_by_heart(watched: Watched) -> str | None:
    now, trivial = watched.training_errors
    if now > 0.7 * trivial:
        return None
    return (
        "it learns the training pictures by heart, and nothing that holds for others: look whether the labels fit "
        "the pictures, start from a trained network, add augmentation or pictures"
    )


def _dead_units(watched: Watched) -> str | None:
    values = watched.training.read(slice(PICTURES_TRIED))
    for layer in watched.model.layers:
        values = layer(values)
        if getattr(layer, "activation", None) is keras.activations.relu or isinstance(layer, keras.layers.ReLU):
            silent = np.asarray(keras.ops.max(values, axis=tuple(range(values.ndim - 1)))) <= 0
            if silent.mean() >= MANY_DEAD:
                return (
                    f"{silent.mean():.0%} of the units of layer {layer.name} answer 0 to every picture (dead units): "
                    "lower the learning rate, or put BatchNormalization in front of the activation"
                )
    return None


def _rate_too_high(watched: Watched) -> str | None:
    losses = [log["loss"] for log in watched.logs]
    rises = sum(later > RISE * earlier for earlier, later in itertools.pairwise(losses))
    if len(losses) < FEWEST_EPOCHS or (losses[-1] <= RISE * losses[0] and rises < len(losses) / 3):
        return None
    return "the training loss goes up and down: lower optimizer.learning_rate, to a tenth at first"


def _rate_too_low(watched: Watched) -> str | None:
    first, last = watched.logs[0]["loss"], watched.logs[-1]["loss"]
    if not 0 < first - last < 0.05 * first:
        return None
    return (
        f"the training loss falls, but slowly (from {first:.4g} to {last:.4g}): raise optimizer.learning_rate, to ten "
        "times at first, or put BatchNormalization into the architecture"
    )


def _unknown(watched: Watched) -> str:
    start = "" if watched.recipe.settings.start_from != RANDOM else ", or start from a trained network"
    return (
        "look whether the labels fit the pictures and whether what matters can be seen at their size "
        f"(height and width of the dataset){start}"
    )


CAUSES: tuple[Callable[[Watched], str | None], ...] = (
    _not_standardized,
    _unbalanced,
    _normalization_lags,
    _learned_by_heart,
    _dead_units,
    _rate_too_high,
    _rate_too_low,
    _unknown,
)
