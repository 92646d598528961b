"""Running a search: trials are asked for, trained by workers, judged, and stopped where they are hopeless."""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import BaseTrial, FrozenTrial, Trial, TrialState

from image_recipes.core.errors import UserError, one_line
from image_recipes.results.searches import SEARCHES_FOLDER
from image_recipes.search.definition import Definition
from image_recipes.search.jobs import Job, Outcome
from image_recipes.search.sampling import as_distributions, as_values, lies_in, list_grid, make_pruner, make_sampler
from image_recipes.search.settings import check_trial
from image_recipes.search.workers import Ended, Reached, Workers

# stops a search of which more than this share has failed, after so many trials
LARGEST_FAILED, LEAST_TRIALS = 0.5, 4
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
# attributes of a trial in Optuna's storage
NUMBER, SEEDS, REPORTED, REASON = "number", "seeds", "reported", "reason"
KEY, COMMIT, LOST = "key", "commit", "lost"


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


class Running(NamedTuple):
    """A trial whose trainings are under way or done: those that have ended, by seed."""

    trial: Trial
    outcomes: dict[int, Outcome]


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
        storage = JournalStorage(JournalFileBackend(str(file)))
        study = optuna.create_study(
            storage=storage,
            study_name=_name_of(definition),
            direction=direction,
            load_if_exists=True,
            pruner=make_pruner(search.settings, definition.epochs),
        )
        if study.get_trials(deepcopy=False):
            return Opened(study)
        return Opened(study, *_take_over(study, storage, definition))
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        reason = one_line(error)[:100]
        raise UserError(f"{file}: damaged: forget its trials by --restart ({reason})") from None


def _cut_half_line(file: Path) -> None:
    """Remove the end of a line that a stop or a full disk has left unfinished."""
    if file.exists() and not (content := file.read_bytes()).endswith(b"\n"):
        with file.open("r+b") as stream:
            stream.truncate(content.rfind(b"\n") + 1)


def _name_of(definition: Definition) -> str:
    settings = definition.search.settings
    space = {path: str(values) for path, values in settings.space.items()}
    parts = [definition.key_of({}), space, settings.sampler, settings.pruner]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _take_over(study: optuna.Study, storage: JournalStorage, definition: Definition) -> tuple[int, int]:
    """Take over the finished trials of earlier definitions whose figures would be the same now, and count all."""
    distributions = as_distributions(definition.search.settings)
    taken: set[str] = set()
    known: set[str] = set()
    for name in optuna.get_all_study_names(storage):
        for trial in optuna.load_study(study_name=name, storage=storage).get_trials(states=FINISHED):
            if name == study.study_name or LOST in trial.user_attrs:
                continue
            known.add(str(trial.user_attrs.get(KEY)))
            if trial.params.keys() != distributions.keys():
                continue
            if not lies_in(trial.params, distributions):
                continue
            values = as_values(trial.params, definition.search.settings)
            key = definition.key_of(values)
            if trial.user_attrs.get(KEY) == key and key not in taken:
                taken.add(key)
                trial.distributions = distributions
                trial.user_attrs[NUMBER] = len(taken)
                study.add_trial(trial)
    return len(taken), len(known)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that are finished, by number; those that a stop cut off are not."""
    trials = study.get_trials(deepcopy=False, states=FINISHED)
    return sorted((trial for trial in trials if LOST not in trial.user_attrs), key=number_of)


def number_of(trial: BaseTrial) -> int:
    """Return a trial's number, from 1 in the order in which they begin; one that is begun again keeps it."""
    return int(trial.user_attrs[NUMBER])


def run_search(
    definition: Definition,
    study: optuna.Study,
    workers: Workers,
    commit: str,
    tell: Callable[[FrozenTrial], None],
) -> None:
    """Train until there are as many trials as are wanted.

    Args:
        definition: what is searched.
        study: where trials are kept.
        workers: who train.
        commit: of the code, which each trial notes.
        tell: is called with each trial that ends.

    Raises:
        UserError: more than half of the trials have failed.
    """
    _Run(definition, study, workers, commit, tell).run()


class _Run:
    def __init__(
        self,
        definition: Definition,
        study: optuna.Study,
        workers: Workers,
        commit: str,
        tell: Callable[[FrozenTrial], None],
    ) -> None:
        self.definition, self.study, self.workers = definition, study, workers
        self.commit, self.tell = commit, tell
        self.settings = definition.search.settings
        self.running: dict[int, Running] = {}
        self.busy = 0
        self.jobs = self._next_jobs()

    def run(self) -> None:
        self._cut_off()
        while True:
            while self.busy < self.workers.count and (job := next(self.jobs, None)):
                self.workers.start(job)
                self.busy += 1
            if not self.busy:
                return
            for event in self.workers.wait():
                if isinstance(event, Reached):
                    self._answer(event)
                else:
                    self._end(event)

    def _cut_off(self) -> None:
        """Put the trials that a stop has cut off in line again, first."""
        for trial in self.study.get_trials(states=[TrialState.RUNNING]):
            self.study._storage.set_trial_user_attr(trial._trial_id, LOST, True)
            self.study.tell(trial.number, state=TrialState.FAIL)
            # one that was cut off before it had all of its values is asked for anew
            if len(trial.params) < len(self.settings.space):
                continue
            # the trainings of it that had ended count
            done = {SEEDS: trial.user_attrs.get(SEEDS, {}), REPORTED: trial.intermediate_values}
            self.study.enqueue_trial(trial.params, user_attrs=done)

    def _next_jobs(self) -> Iterator[Job]:
        """Go through the trainings to do, as long as trials are wanted."""
        points = list_grid(self.settings) if self.settings.sampler == "grid" else None
        # with those that were cut off, which are in line again
        known = [trial.params for trial in self.study.get_trials(deepcopy=False, states=FINISHED)]
        while len(finished(self.study)) + len(self.running) < self.settings.trials:
            if points is not None and not self.study.get_trials(deepcopy=False, states=[TrialState.WAITING]):
                point = next((point for point in points if point not in known), None)
                if point is None:
                    return
                self.study.enqueue_trial(point)
            yield from self._start_trial()

    def _start_trial(self) -> Iterator[Job]:
        begun = [*finished(self.study), *(running.trial for running in self.running.values())]
        taken = set(map(number_of, begun))
        number = next(number for number in itertools.count(1) if number not in taken)
        self.study.sampler = make_sampler(self.settings, self.definition.seed, number)
        trial = self.study.ask(as_distributions(self.settings))
        trial.set_user_attr(NUMBER, number)
        values = as_values(trial.params, self.settings)
        trial.set_user_attr(KEY, self.definition.key_of(values))
        trial.set_user_attr(COMMIT, self.commit)
        outcomes = {
            int(seed): Outcome("finished", *outcome) for seed, outcome in trial.user_attrs.get(SEEDS, {}).items()
        }
        self.running[trial.number] = Running(trial, outcomes)
        for epoch, value in trial.user_attrs.get(REPORTED, {}).items() if outcomes else ():
            trial.report(value, int(epoch))
        try:
            check_trial(self.definition.search, values)
        except UserError as error:
            self._finish(trial, TrialState.FAIL, str(error))
            return
        params = self.definition.search.at(values)
        for place in range(self.settings.seeds):
            # stopped early or failed by an earlier seed
            if trial.number not in self.running:
                return
            # trials are compared at the same epoch by the same seed
            reports = self.settings.pruner != "none" and place == 0
            seed = self.definition.seed + place
            if seed in outcomes:
                continue
            yield Job(trial.number, self.settings.recipe, params, seed, self.settings.metric, reports)

    def _answer(self, event: Reached) -> None:
        trial = self.running[event.job.trial].trial
        trial.report(event.value, event.epoch)
        self.workers.answer(event.job, not trial.should_prune())

    def _end(self, event: Ended) -> None:
        self.busy -= 1
        running, outcome = self.running.get(event.job.trial), event.outcome
        if running is None:
            return
        running.outcomes[event.job.seed] = outcome
        if outcome.state != "finished":
            state = TrialState.FAIL if outcome.state == "failed" else TrialState.PRUNED
            self._finish(running.trial, state, outcome.reason)
        elif len(running.outcomes) == self.settings.seeds:
            self._finish(running.trial, TrialState.COMPLETE, None)
        else:
            running.trial.set_user_attr(SEEDS, _as_plain(running.outcomes))

    def _finish(self, trial: Trial, state: TrialState, reason: str | None) -> None:
        outcomes = self.running.pop(trial.number).outcomes
        trial.set_user_attr(SEEDS, _as_plain(outcomes))
        if reason:
            trial.set_user_attr(REASON, reason)
        values = [outcome.value for outcome in outcomes.values() if outcome.value is not None]
        self.tell(self.study.tell(trial, fmean(values) if state == TrialState.COMPLETE else None, state))
        trials = finished(self.study)
        failed = [each for each in trials if each.state == TrialState.FAIL]
        if len(trials) >= LEAST_TRIALS and len(failed) > LARGEST_FAILED * len(trials):
            reasons = dict.fromkeys(each.user_attrs[REASON] for each in failed)
            raise UserError(
                f"{self.definition.search.key}: {len(failed)} of {len(trials)} trials have failed: correct the space",
                *(f"  {reason}" for reason in reasons),
            )


def _as_plain(outcomes: dict[int, Outcome]) -> dict[int, list[float | None]]:
    return {seed: [outcome.value, outcome.epochs, outcome.seconds] for seed, outcome in sorted(outcomes.items())}
