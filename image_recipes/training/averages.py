"""Averaged weights: what an optimizer with `use_ema` averages is what is judged, and kept."""

import numpy as np

from image_recipes.models.backend import keras


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
