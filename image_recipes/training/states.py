"""The states of trainings that are not finished, in files from which they go on if they are stopped.

They lie outside of what DVC tracks, since DVC deletes a stage's outputs before it runs again.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.core.errors import UserError, one_line
from image_recipes.core.files import written_whole
from image_recipes.models.backend import keras
from image_recipes.models.recipe import RANDOM, UNFINISHED_FOLDER, Recipe
from image_recipes.training.digests import digest_model, digest_pictures, digest_training

# where DVC runs experiments of its queue, in folders that do not outlast them
TEMPORARY_FOLDER = Path(".dvc/tmp/exps")
# of the recipe's stopped trainings with other settings or code; more of those that may still run
MOST_KEPT, SECONDS_KEPT = 3, 86_400
# between states, unless the environment variable says otherwise; more where one takes more than this share of the time
SECONDS_BETWEEN, LARGEST_SHARE = 10.0, 0.01
SECONDS_VARIABLE = "IMAGE_RECIPES_STATE_SECONDS"
# in a state's file: arrays of the model and of its optimizer in Keras's order, those of callbacks, and the rest
MODEL, OPTIMIZER, CALLBACKS, PLAIN = "model", "optimizer", "callbacks", "plain"

Logs = dict[str, float]


class State(NamedTuple):
    """Where a training was.

    Attributes:
        phase: its number, from 0; that of phases if all are done.
        begun: the epochs before that phase.
        rows: Keras's logs of each epoch so far.
        callbacks: what each callback remembered that is `Resumable`; none after the last phase.
        model: its variables.
        optimizer: its variables.
    """

    phase: int
    begun: int
    rows: list[Logs]
    callbacks: list[dict[str, Any]]
    model: list[np.ndarray]
    optimizer: list[np.ndarray]

    @classmethod
    def at_start(cls, phase: int, rows: Sequence[Logs]) -> "State":
        """Return the state before a phase's first epoch, whose variables are those that the model has."""
        return cls(phase, len(rows), [*rows], [], [], [])

    def restore(self, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
        """Put the variables back into a model and its optimizer.

        Raises:
            UserError: they are not this model's.
        """
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        try:
            for variables, arrays in ((model.variables, self.model), (optimizer.variables, self.optimizer)):
                for variable, array in zip(variables, arrays, strict=True):
                    # NumPy does not know bfloat16 again
                    variable.assign(array.view(variable.dtype) if array.dtype.kind == "V" else array)
        except ValueError as error:
            reason = f"the state it was to go on from is not its own ({one_line(error)})"
            raise UserError(f"{model.name}: {reason}: forget it by `rm -r {UNFINISHED_FOLDER}`") from None


def states_folder(recipe: Recipe, info: DatasetInfo, seed: int) -> Path:
    """Return the folder for the states of a recipe's trainings: one, and those on folds."""
    return _project_folder() / UNFINISHED_FOLDER / recipe.name / digest_training(recipe, info, seed)


def forget_states(folder: Path) -> None:
    """Remove the states of trainings whose results are kept, and the oldest of others of the same recipe."""
    shutil.rmtree(folder, ignore_errors=True)
    # another experiment may do the same at the same time
    with contextlib.suppress(OSError):
        others = sorted(folder.parent.iterdir(), key=lambda other: other.stat().st_mtime, reverse=True)
        for other in others[MOST_KEPT:]:
            if time.time() - other.stat().st_mtime > SECONDS_KEPT:
                shutil.rmtree(other, ignore_errors=True)
        if not others:
            folder.parent.rmdir()


def _seconds_between() -> float:
    try:
        return float(os.environ.get(SECONDS_VARIABLE) or SECONDS_BETWEEN)
    except ValueError:
        given = os.environ[SECONDS_VARIABLE]
        raise UserError(f"{SECONDS_VARIABLE}: give a number of seconds, such as 60, not {given!r}") from None


def _project_folder() -> Path:
    """Return the project's folder, also of an experiment that DVC runs in a temporary one."""
    here = Path.cwd()
    for parent in here.parents:
        if parent.parts[-len(TEMPORARY_FOLDER.parts) :] == TEMPORARY_FOLDER.parts:
            return parent.parents[len(TEMPORARY_FOLDER.parts) - 1]
    return here


class StateFile:
    """The state of one training, in a file that is named by all that the training depends on.

    Args:
        folder: of `states_folder`; None to keep no states.
        recipe: what is trained.
        splits: the pictures of each.
        model: before training.
    """

    def __init__(self, folder: Path | None, recipe: Recipe, splits: Mapping[str, Subset], model: keras.Model) -> None:
        self._folder, self._name, self._splits = folder, recipe.name, splits
        # random ones follow from the seed
        self._start = digest_model(model) if recipe.settings.start_from != RANDOM else ""
        self._file: Path | None = None
        self._written, self._pause = time.monotonic(), _seconds_between()

    def load(self) -> State | None:
        """Load the state from which to go on, if there is one; of one that is damaged, say so."""
        if self._folder is None or not self._folder.parent.is_dir():
            return None
        if not self._folder.is_dir():
            self._tell_new(f"{self._folder.parent} has stopped trainings of other settings or versions")
            return None
        try:
            with np.load(self._find(), allow_pickle=False) as arrays:
                return _from_arrays(arrays)
        except FileNotFoundError:
            # of other pictures, such as those of a fold
            return None
        except Exception as error:  # damage shows in zipfile, zlib, numpy or json
            self._tell_new(f"{self._find()} cannot be read ({one_line(error)[:100]})")
            return None

    def _tell_new(self, reason: str) -> None:
        print(f"{self._name}: {reason}: training starts anew", file=sys.stderr, flush=True)

    def is_due(self) -> bool:
        """Tell whether a state is to be saved again."""
        return self._folder is not None and time.monotonic() - self._written >= self._pause

    def save(self, state: State) -> None:
        """Save a state, whole or not at all; where that fails, say so, and let the training go on."""
        file, started = self._find(), time.monotonic()
        try:
            with written_whole(file) as partial, partial.open("wb") as stream:
                np.savez(stream, allow_pickle=False, **_as_arrays(state))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            reason = f"its state could not be kept ({error.strerror or one_line(error)})"
            print(f"warning: {self._name}: {reason}: if it is stopped, it starts anew", file=sys.stderr, flush=True)
        self._written = time.monotonic()
        self._pause = max(_seconds_between(), (self._written - started) / LARGEST_SHARE)

    def _find(self) -> Path:
        # late, since to read all pictures takes longer than a short training
        if self._file is None and self._folder is not None:
            digest = self._start
            for split, pictures in self._splits.items():
                targets = hashlib.sha256(np.ascontiguousarray(pictures.targets).data).hexdigest()
                digest = digest_pictures(pictures, f"{digest} {split} {targets}")
            self._file = self._folder / f"{digest}.npz"
        if self._file is None:
            raise TypeError("without a folder no state is kept")
        return self._file


def take_state(
    model: keras.Model, phase: int, begun: int, rows: Sequence[Logs], callbacks: Sequence[dict[str, Any]] = ()
) -> State:
    """Take the state of a compiled model as it is now; the arguments are those of `State`."""
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    variables = [
        [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in owner.variables]
        for owner in (model, optimizer)
    ]
    return State(phase, begun, [*rows], [*callbacks], *variables)


def _as_arrays(state: State) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for name, values in ((MODEL, state.model), (OPTIMIZER, state.optimizer)):
        arrays |= {f"{name}/{number}": value for number, value in enumerate(values)}
    callbacks: list[dict[str, Any]] = []
    for number, remembered in enumerate(state.callbacks):
        callbacks.append({})
        for name, value in remembered.items():
            if isinstance(value, list):
                arrays |= {f"{CALLBACKS}/{number}/{name}/{place}": array for place, array in enumerate(value)}
                callbacks[-1][name] = {"arrays": len(value)}
            else:
                callbacks[-1][name] = value
    plain = {"phase": state.phase, "begun": state.begun, "rows": state.rows, "callbacks": callbacks}
    return {**arrays, PLAIN: np.frombuffer(json.dumps(plain).encode(), np.uint8)}


def _from_arrays(arrays: Mapping[str, np.ndarray]) -> State:
    plain = json.loads(arrays[PLAIN].tobytes())
    listed = {
        name: [arrays[f"{name}/{number}"] for number in range(sum(key.startswith(f"{name}/") for key in arrays))]
        for name in (MODEL, OPTIMIZER)
    }
    callbacks = [
        {
            name: [arrays[f"{CALLBACKS}/{number}/{name}/{place}"] for place in range(value["arrays"])]
            if isinstance(value, dict)
            else value
            for name, value in remembered.items()
        }
        for number, remembered in enumerate(plain["callbacks"])
    ]
    return State(plain["phase"], plain["begun"], plain["rows"], callbacks, listed[MODEL], listed[OPTIMIZER])
