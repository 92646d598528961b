"""Callbacks of Keras's `fit` that choose: when to stop, which weights to keep, how fast to learn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from image_recipes.models.backend import keras
from image_recipes.models.compiling import Objective, check_direction
from image_recipes.models.recipe import Recipe


class EarlyStoppingOverPhases(keras.callbacks.EarlyStopping):
    """Keeps its best over all trainings of a model; Keras's own forgets it at the start of each."""

    KEPT = ("best", "best_epoch")
    best_epoch = 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Take over the best so far."""
        kept = {name: getattr(self, name) for name in self.KEPT}
        known = getattr(self, "best_weights", None) is not None
        super().on_train_begin(logs)
        for name, value in kept.items():
            setattr(self, name, value)
        if known:
            # the training before has put the best back, perhaps into a part of this model only
            self.best_weights = self.model.get_weights()

    def get_state(self) -> dict[str, Any]:
        """Return what it counts, and the best weights."""
        return {name: getattr(self, name) for name in ("wait", "stopped_epoch", *self.KEPT, "best_weights")}

    def set_state(self, state: Mapping[str, Any], rows: Sequence[dict[str, float]]) -> None:
        """Count on."""
        self.__dict__.update(state)


class LowerOnPlateau(keras.callbacks.ReduceLROnPlateau):
    """Goes on counting after a stop; the learning rate is the optimizer's."""

    def get_state(self) -> dict[str, Any]:
        """Return what it counts."""
        return {name: getattr(self, name) for name in ("best", "wait", "cooldown_counter")}

    def set_state(self, state: Mapping[str, Any], rows: Sequence[dict[str, float]]) -> None:
        """Count on."""
        self.__dict__.update(state)


class JudgeAverages(keras.callbacks.Callback):
    """Put the averaged weights in place of the last ones from validation to the end of an epoch.

    Keras itself does so at the end of `fit` alone, and then early stopping puts back weights that
    were never averaged. Stands before callbacks that keep weights.
    """

    last: list[np.ndarray] | None = None

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Keep the last weights, and take the averages."""
        self.last = [weight.numpy() for weight in self.model.trainable_weights]
        self.model.optimizer.finalize_variable_values(self.model.trainable_weights)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Train on from the last weights."""
        if self.last is not None:
            for weight, value in zip(self.model.trainable_weights, self.last, strict=True):
                weight.assign(value)
            self.last = None

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Leave the averages, for another training may follow."""
        self.last = None

    def get_state(self) -> dict[str, Any]:
        """Return the last weights."""
        return {"last": self.last}

    def set_state(self, state: Mapping[str, Any], rows: Sequence[dict[str, float]]) -> None:
        """Train on from the last weights."""
        self.last = state["last"]


def stop_early(recipe: Recipe, objective: Objective) -> EarlyStoppingOverPhases | None:
    """Make what stops a recipe's training early, if it asks for that.

    Raises:
        UserError: it is not known whether less or more of what it monitors is better, as for `lower_on_plateau`.
    """
    stopping = recipe.settings.early_stopping
    if stopping is None:
        return None
    check_direction(objective, stopping.monitor, stopping.mode, f"{recipe.key}.early_stopping")
    return EarlyStoppingOverPhases(**stopping.model_dump(exclude_none=True))


def lower_on_plateau(recipe: Recipe, objective: Objective) -> keras.callbacks.ReduceLROnPlateau | None:
    """Make what lowers a recipe's learning rate on a plateau, if it asks for that."""
    plateau = recipe.settings.reduce_lr_on_plateau
    if plateau is None:
        return None
    check_direction(objective, plateau.monitor, plateau.mode, f"{recipe.key}.reduce_lr_on_plateau")
    return LowerOnPlateau(**plateau.model_dump(exclude_none=True))
