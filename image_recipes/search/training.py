"""Training a trial, in a worker: by the code of the stage `train`, with pictures that are opened once."""

import functools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from image_recipes.core.dataset import DatasetInfo, Subset, load_prepared, load_split
from image_recipes.core.errors import escape, one_line
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.evaluation.inference import predict, score_by_own_metrics
from image_recipes.models.backend import keras
from image_recipes.models.compiling import load_own_metrics
from image_recipes.models.recipe import Recipe, recipe_of
from image_recipes.results.metrics import SPLIT_PREFIXES
from image_recipes.results.predictions import tabulate_predictions
from image_recipes.search.jobs import Job, Outcome
from image_recipes.training.fit import TrainedModel, train_recipe
from image_recipes.training.states import forget_states, states_folder
from image_recipes.training.steps import choose_execution


class PrunedError(Exception):
    """A training was stopped since others were better after as many epochs."""


class Report(keras.callbacks.Callback):
    """Count the epochs and the model's parameters, and say how good each epoch was, to stop where that is answered so.

    Args:
        metric: of Keras's logs.
        go_on: is asked with the epoch, from 1, and the metric; None to ask nobody.
    """

    def __init__(self, metric: str, go_on: Callable[[int, float], bool] | None) -> None:
        super().__init__()
        self._metric, self._go_on = metric, go_on
        self.epochs = 0
        self.parameters: int | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Ask.

        Raises:
            PrunedError: the answer was no.
        """
        self.epochs, self.parameters = epoch + 1, self.model.count_params()
        if self._go_on and not self._go_on(self.epochs, float((logs or {})[self._metric])):
            raise PrunedError


def count_parts(job: Job) -> int:
    """Return into how many parts a job's batches are divided: TensorFlow cannot change its threads later."""
    recipe = recipe_of(job.params, job.recipe)
    settings = recipe.settings
    return choose_execution([*(settings.augmentation or ()), *recipe.layers], settings.jit_compile).parts


def train_trial(job: Job, go_on: Callable[[int, float], bool]) -> Outcome:
    """Train once; whatever goes wrong is the outcome.

    Args:
        job: what to train.
        go_on: is asked after each epoch, if the job reports.
    """
    started = time.monotonic()
    report = Report(job.metric, go_on if job.reports else None)
    try:
        value, epochs, scores = _train(job, report)
    except PrunedError:
        recipe = recipe_of(job.params, job.recipe)
        forget_states(states_folder(recipe, open_pictures(recipe.settings.dataset)[0], job.seed))
        return Outcome("stopped early", None, report.epochs, time.monotonic() - started, None, report.parameters)
    except OSError as error:
        named = f"{escape(str(error.filename))}: " if error.filename else ""
        reason = f"{named}{error.strerror or one_line(error)}"
        return Outcome("cut off", None, report.epochs, time.monotonic() - started, reason, report.parameters)
    except Exception as error:  # whatever a choice of layers may raise in Keras is that trial's
        return Outcome("failed", None, report.epochs, time.monotonic() - started, one_line(error), report.parameters)
    seconds = time.monotonic() - started
    if not math.isfinite(value):
        reason = f"{job.metric} is {value} after epoch {epochs}"
        return Outcome("failed", None, epochs, seconds, reason, report.parameters)
    return Outcome("finished", value, epochs, seconds, None, report.parameters, scores)


def train_job(job: Job, callbacks: Sequence[keras.callbacks.Callback] = ()) -> TrainedModel:
    """Train as the stage `train` does, with pictures that this process has opened once.

    Raises:
        UserError: as `train_recipe`.
    """
    recipe = recipe_of(job.params, job.recipe)
    info, splits = open_pictures(recipe.settings.dataset)
    # layers are named by how many were made before, and a model file has their names
    keras.utils.clear_session(free_memory=False)
    judging = {split: splits[split] for split in ("train", "validation")}
    return train_recipe(recipe, info, judging, job.seed, callbacks, states_folder(recipe, info, job.seed))


def _train(job: Job, report: Report) -> tuple[float, int, Mapping[str, float]]:
    recipe = recipe_of(job.params, job.recipe)
    info, splits = open_pictures(recipe.settings.dataset)
    model, history = train_job(job, [report])
    scores = _score(model, info, splits) if job.scores else {}
    forget_states(states_folder(recipe, info, job.seed))
    return float(history[job.metric].iloc[find_kept(history, recipe, model)]), len(history), scores


def _score(model: keras.Model, info: DatasetInfo, splits: Mapping[str, Subset]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for split, pictures in splits.items():
        outputs = predict(model, pictures)
        found = {
            **EVALUATION[info.task].score(tabulate_predictions(pictures, outputs, info)),
            **score_by_own_metrics(model, pictures.targets, outputs, info),
        }
        known = {name: value for name, value in found.items() if value is not None}
        scores |= {f"{SPLIT_PREFIXES[split]}_{name}": value for name, value in known.items()}
    return scores


def find_kept(history: pd.DataFrame, recipe: Recipe, model: keras.Model) -> int:
    """Find the epoch, from 0, whose weights a training has kept: its last, or the best if early stopping restores it.

    Args:
        history: as `train_recipe` returns it.
        recipe: what was trained.
        model: as training has compiled it.
    """
    stopping = recipe.settings.early_stopping
    if not (stopping and stopping.restore_best_weights):
        return len(history) - 1
    # where Keras's callbacks look for it
    directions = {f"val_{metric.name}": getattr(metric, "_direction", None) for metric in load_own_metrics(model)}
    direction = directions.get(stopping.monitor) or ("up" if stopping.monitor.endswith("accuracy") else "down")
    less = stopping.mode == "min" if stopping.mode else direction == "down"
    watched = history[stopping.monitor]
    return int(watched.argmin() if less else watched.argmax())


@functools.cache
def open_pictures(dataset: str) -> tuple[DatasetInfo, dict[str, Subset]]:
    """Open a dataset's pictures by split, once in each process."""
    prepared = load_prepared(Path("data/prepared") / dataset)
    splits = {split: prepared.subset(load_split(Path("data/split") / dataset, split)) for split in SPLIT_PREFIXES}
    return prepared.info, splits
