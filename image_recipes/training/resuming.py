"""Going on with a training that was stopped, from its state after an epoch, to the same end as without the stop."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from image_recipes.models.backend import keras
from image_recipes.training.states import Logs, State, StateFile, take_state


@runtime_checkable
class Resumable(Protocol):
    """A callback that remembers something from epoch to epoch."""

    def get_state(self) -> dict[str, Any]:
        """Return what it remembers: plain values, or lists of arrays."""

    def set_state(self, state: Mapping[str, Any], rows: Sequence[Logs]) -> None:
        """Take up what it remembered, after the epochs that have these logs. Called after `on_train_begin`."""


class KeepState(keras.callbacks.Callback):
    """Save the state of a training now and then, and take up the one it goes on from. The last callback.

    Args:
        file: keeps it.
        start: where it goes on, or begins.
        callbacks: all others; those that are `Resumable` are asked for what they remember.
        epochs: how many there are at the end of this phase.
    """

    def __init__(self, file: StateFile, start: State, callbacks: Sequence[Any], epochs: int) -> None:
        super().__init__()
        self._file, self._start, self._epochs = file, start, epochs
        self.rows = [*start.rows]
        self._resumable = [callback for callback in callbacks if isinstance(callback, Resumable)]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Take up a state, when all others have begun; or keep the start of a later phase."""
        if self._start.model:
            self._start.restore(self.model, self.model.optimizer)
            for callback, remembered in zip(self._resumable, self._start.callbacks, strict=True):
                callback.set_state(remembered, self.rows)
        elif self._start.rows and self._file.is_due():
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the state, but of a phase's last epoch: the next phase has it."""
        self.rows.append(dict(logs or {}))
        if self._file.is_due() and not self.model.stop_training and epoch + 1 < self._epochs:
            self._save()

    def _save(self) -> None:
        remembered = [callback.get_state() for callback in self._resumable]
        self._file.save(take_state(self.model, self._start.phase, self._start.begun, self.rows, remembered))
