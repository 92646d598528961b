"""Showing how far training is: a bar on a terminal, a line now and then in a log file."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from dvclive.keras import DVCLiveCallback
from dvclive.utils import standardize_metric_name
from tqdm import tqdm

from image_recipes.core.dataset import Subset
from image_recipes.models.backend import keras
from image_recipes.models.recipe import Recipe
from image_recipes.training.trivial import TrivialAnswer

SECONDS_BETWEEN_LINES = 30
SECONDS_BETWEEN_SUMMARIES = 1


class LiveLog(DVCLiveCallback):
    """Log every epoch by DVCLive for others to look on, and bring its summary up to date now and then.

    DVCLive reads its whole history again for each summary, which would take a small
    network longer than its epochs. `live` is closed by whoever opened it, after all trainings.
    """

    summarized = 0.0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Log a step."""
        self._log(logs or {})
        now = time.monotonic()
        if now - self.summarized >= SECONDS_BETWEEN_SUMMARIES:
            self.summarized = now
            self.live.next_step()
        else:
            self.live.step += 1

    def get_state(self) -> dict[str, Any]:
        """Return nothing: what it has logged are the logs of all epochs."""
        return {}

    def set_state(self, state: Mapping[str, Any], rows: Sequence[dict[str, float]]) -> None:
        """Log again the steps before a stop: DVCLive begins with an empty folder."""
        for row in rows:
            self._log(row)
            self.live.step += 1

    def _log(self, logs: Mapping[str, float]) -> None:
        for name, value in logs.items():
            self.live.log_metric(standardize_metric_name(name, DVCLiveCallback.__module__), value)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Write the summary for the last epoch: `Live.end` takes its step from it."""
        self.live.step -= 1
        self.live.make_summary()
        self.live.step += 1


def log_again(callbacks: Sequence[keras.callbacks.Callback], rows: Sequence[dict[str, float]]) -> None:
    """Log the epochs of a training whose end was reached before a stop."""
    for callback in callbacks:
        if isinstance(callback, LiveLog):
            callback.set_state({}, rows)
            callback.on_train_end()


def tell_start(recipe: Recipe, splits: Mapping[str, Subset], trivial: TrivialAnswer) -> None:
    """Say, before the first epoch, what is learned from and what is to beat."""
    counts = f"learns from {len(splits['train']):,} pictures, judged by {len(splits['validation']):,}"
    to_beat = f"{trivial.words}: {trivial.shown_as}={trivial.figure:.4g}"
    print(f"{recipe.name}: {counts}; {to_beat}", file=sys.stderr, flush=True)


def tell_resumed(recipe: Recipe, done: int, epochs: int) -> None:
    """Say that a training goes on where it was stopped."""
    print(f"{recipe.name}: was stopped, and goes on after {done} of {epochs} epochs", file=sys.stderr, flush=True)


class Progress(keras.callbacks.Callback):
    """Show epochs done, time left and the latest validation figure.

    Args:
        name: the recipe's.
        epochs: how many there are, those before this training included.
        first_epoch: how many were before it.
        monitor: the figure of Keras's logs to show, such as `val_accuracy`.
        to_beat: the trivial answer's.
    """

    def __init__(self, name: str, epochs: int, first_epoch: int, monitor: str, to_beat: float) -> None:
        super().__init__()
        self.name, self.epochs, self.first_epoch = name, epochs, first_epoch
        self.monitor, self.to_beat = monitor, to_beat

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Open the bar; without a terminal tqdm keeps count and prints nothing."""
        self.bar = tqdm(
            total=self.epochs,
            initial=self.first_epoch,
            desc=self.name,
            unit="epoch",
            disable=None,
            dynamic_ncols=True,
        )
        self.started = self.printed = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar, or print a line if the last one is some time ago."""
        done = epoch + 1
        figure = f"{self.monitor}={(logs or {})[self.monitor]:.4g} (to beat: {self.to_beat:.4g})"
        self.bar.set_postfix_str(figure, refresh=False)
        self.bar.update()
        now = time.monotonic()
        if self.bar.disable and (now - self.printed >= SECONDS_BETWEEN_LINES or done == self.epochs):
            self.printed = now
            seconds = (now - self.started) / (done - self.first_epoch)
            left = tqdm.format_interval(seconds * (self.epochs - done))
            line = f"{self.name}: epoch {done}/{self.epochs}, {figure}, {seconds:.3g} s/epoch, {left} left"
            print(line, file=sys.stderr, flush=True)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Leave the finished bar on the screen."""
        self.bar.close()
