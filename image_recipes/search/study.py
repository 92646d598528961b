"""A search's trials as Optuna keeps them: opened, taken over from an earlier definition, put in line again."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import BaseTrial, FrozenTrial, Trial, TrialState

from image_recipes.core.errors import UserError, one_line
from image_recipes.results.searches import SEARCHES_FOLDER
from image_recipes.search.definition import Definition
from image_recipes.search.jobs import Outcome
from image_recipes.search.sampling import as_distributions, as_values, lies_in, make_pruner

ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
# attributes of a trial in Optuna's storage
NUMBER, SEEDS, REPORTED, REASON = "number", "seeds", "reported", "reason"
KEY, COMMIT, LOST = "key", "commit", "lost"
# attributes of a study: what prunes it, and that all earlier trials have been looked at
PRUNING, LOOKED = "pruning", "looked"


class Opened(NamedTuple):
    """A search's trials.

    Attributes:
        study: keeps them.
        taken: how many of an earlier definition's were taken over.
        earlier: how many that had.
    """

    study: optuna.Study
    taken: int = 0
    earlier: int = 0


def open_study(definition: Definition, restart: bool) -> Opened:
    """Open a search's trials, those of an earlier definition that still lie in this one included.

    Args:
        definition: what the trials depend on.
        restart: forget them.

    Raises:
        UserError: their file is damaged.
    """
    search = definition.search
    SEARCHES_FOLDER.mkdir(parents=True, exist_ok=True)
    file = SEARCHES_FOLDER / f"{search.name}.journal"
    if restart:
        file.unlink(missing_ok=True)
    _cut_half_line(file)
    # a search holds a lock of its own; this is of an Optuna that was killed
    file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
    direction: Any = {"min": "minimize", "max": "maximize"}[definition.direction]
    try:
        # not a symbolic link, which not every file system has
        storage = JournalStorage(JournalFileBackend(str(file), lock_obj=JournalFileOpenLock(str(file))))
        study = optuna.create_study(
            storage=storage,
            study_name=_name_of(definition),
            direction=direction,
            load_if_exists=True,
            pruner=make_pruner(search.settings, definition.epochs),
        )
        if LOOKED in study.user_attrs:
            return Opened(study)
        study.set_user_attr(PRUNING, [search.settings.pruner, definition.epochs])
        opened = Opened(study, *_take_over(study, storage, definition))
        study.set_user_attr(LOOKED, True)
        return opened
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        reason = one_line(error)[:100]
        raise UserError(f"{file}: damaged: forget its trials by --restart ({reason})") from None


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that have ended, by number; those that a stop cut off have not."""
    trials = study.get_trials(deepcopy=False, states=ENDED)
    return sorted((trial for trial in trials if LOST not in trial.user_attrs), key=number_of)


def number_of(trial: BaseTrial) -> int:
    """Return a trial's number, from 1 in the order in which they begin; one that is begun again keeps it."""
    return int(trial.user_attrs[NUMBER])


def outcomes_of(trial: BaseTrial) -> dict[int, Outcome]:
    """Return what came of a trial's trainings, by seed."""
    return {int(seed): Outcome(*outcome) for seed, outcome in trial.user_attrs.get(SEEDS, {}).items()}


def note_outcomes(trial: Trial, outcomes: Mapping[int, Outcome]) -> None:
    """Note what has come of a trial's trainings, by seed."""
    trial.set_user_attr(SEEDS, {seed: list(outcome) for seed, outcome in sorted(outcomes.items())})


def list_waiting(study: optuna.Study) -> list[dict[str, Any]]:
    """List the params of the trials that are in line."""
    waiting = study.get_trials(deepcopy=False, states=[TrialState.WAITING])
    return [trial.system_attrs["fixed_params"] for trial in waiting]


def line_up(study: optuna.Study, paths: int) -> None:
    """Put the trials that a stop has cut off in line again, first.

    Args:
        study: of the search.
        paths: how many values a trial has; one that was cut off before it had all is asked for anew.
    """
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        # another stop may come between the two
        if len(trial.params) == paths and trial.params not in list_waiting(study):
            # the trainings of it that had ended count
            known = {SEEDS: trial.user_attrs.get(SEEDS, {}), REPORTED: trial.intermediate_values}
            study.enqueue_trial(trial.params, user_attrs=known)
        study._storage.set_trial_user_attr(trial._trial_id, LOST, True)
        study.tell(trial.number, state=TrialState.FAIL)


def _cut_half_line(file: Path) -> None:
    """Remove the end of a line that a stop or a full disk has left unfinished."""
    if file.exists() and not (content := file.read_bytes()).endswith(b"\n"):
        with file.open("r+b") as stream:
            stream.truncate(content.rfind(b"\n") + 1)


def _name_of(definition: Definition) -> str:
    settings = definition.search.settings
    space = {path: str(values) for path, values in settings.space.items()}
    parts = [definition.key_of({}), definition.direction, space, settings.sampler, settings.pruner]
    parts += [definition.reach]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _take_over(study: optuna.Study, storage: JournalStorage, definition: Definition) -> tuple[int, int]:
    """Take over the trials of earlier definitions whose figures would be the same now, and count all."""
    distributions = as_distributions(definition.search.settings)
    # a stop may have cut this off before
    taken = {str(trial.user_attrs[KEY]) for trial in ended(study)}
    known: set[str] = set(taken)
    for name in optuna.get_all_study_names(storage):
        other = optuna.load_study(study_name=name, storage=storage)
        pruned_alike = other.user_attrs.get(PRUNING) == study.user_attrs[PRUNING]
        for trial in ended(other) if name != study.study_name else ():
            known.add(str(trial.user_attrs.get(KEY)))
            # another pruner may want it to the end
            if trial.state == TrialState.PRUNED and not pruned_alike:
                continue
            if trial.params.keys() != distributions.keys() or not lies_in(trial.params, distributions):
                continue
            key = definition.key_of(as_values(trial.params, definition.search.settings))
            if trial.user_attrs.get(KEY) == key and key not in taken:
                taken.add(key)
                trial.distributions = distributions
                trial.user_attrs[NUMBER] = len(taken)
                study.add_trial(trial)
    return len(taken), len(known)
