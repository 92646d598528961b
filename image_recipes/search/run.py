"""Running a search: trials are asked for, trained by workers, judged, and stopped where they are hopeless."""

import itertools
from collections.abc import Callable
from statistics import fmean
from typing import Any, NamedTuple

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from image_recipes.core.errors import UserError
from image_recipes.search.definition import Definition
from image_recipes.search.jobs import Job, Outcome
from image_recipes.search.sampling import as_distributions, as_values, list_grid, make_sampler
from image_recipes.search.settings import check_trial
from image_recipes.search.study import (
    COMMIT,
    KEY,
    NUMBER,
    REASON,
    REPORTED,
    ended,
    line_up,
    list_waiting,
    note_outcomes,
    number_of,
    outcomes_of,
)
from image_recipes.search.workers import Ended, Reached, Workers

# stops a search of which more than this share has failed, after so many trials
LARGEST_FAILED, LEAST_TRIALS = 0.5, 4


class Running(NamedTuple):
    """A trial whose trainings are under way or done.

    Attributes:
        trial: of Optuna.
        params: of params.yaml, with its values.
        outcomes: of the trainings that have ended, by seed.
        begun: the seeds of those that have been handed out.
        reported: the epochs that the pruner knows.
    """

    trial: Trial
    params: dict[str, Any]
    outcomes: dict[int, Outcome]
    begun: set[int]
    reported: set[int]


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
        UserError: more than half of the trials have failed, or something that is no trial's fault.
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

    def run(self) -> None:
        line_up(self.study, len(self.settings.space))
        while True:
            while self.busy < self.workers.count and (job := self._next_job()):
                self.workers.start(job)
                self.busy += 1
            if not self.busy:
                return
            for event in self.workers.wait():
                if isinstance(event, Reached):
                    self._answer(event)
                else:
                    self._end(event)

    def _next_job(self) -> Job | None:
        for running in self.running.values():
            if job := self._next_training(running):
                return job
        while self._line_up_next() and len(ended(self.study)) + len(self.running) < self.settings.trials:
            running = self._start_trial()
            # one that cannot be built has ended by now
            if running.trial.number in self.running and (job := self._next_training(running)):
                return job
        return None

    def _next_training(self, running: Running) -> Job | None:
        """Return the next training of a trial; with a pruner, those after the first wait for its end."""
        first, prunes = self.definition.seed, self.settings.pruner != "none"
        for seed in range(first, first + self.settings.seeds):
            if seed in running.outcomes or seed in running.begun:
                continue
            if prunes and seed != first and first not in running.outcomes:
                return None
            running.begun.add(seed)
            # trials are compared at the same epoch by the same seed
            reports = prunes and seed == first
            return Job(running.trial.number, self.settings.recipe, running.params, seed, self.settings.metric, reports)
        return None

    def _line_up_next(self) -> bool:
        """Put the next point of a grid in line; tell whether there is anything to ask for."""
        waiting = list_waiting(self.study)
        if self.settings.sampler != "grid" or waiting:
            return True
        known = [trial.params for trial in ended(self.study)]
        known += [running.trial.params for running in self.running.values()]
        point = next((point for point in list_grid(self.settings) if point not in known), None)
        if point is not None:
            self.study.enqueue_trial(point)
        return point is not None

    def _start_trial(self) -> Running:
        begun = [*ended(self.study), *(running.trial for running in self.running.values())]
        taken = set(map(number_of, begun))
        number = next(number for number in itertools.count(1) if number not in taken)
        self.study.sampler = make_sampler(self.settings, self.definition.seed, number)
        trial = self.study.ask(as_distributions(self.settings))
        trial.set_user_attr(NUMBER, number)
        values = as_values(trial.params, self.settings)
        trial.set_user_attr(KEY, self.definition.key_of(values))
        trial.set_user_attr(COMMIT, self.commit)
        # of one that a stop has cut off
        outcomes = outcomes_of(trial)
        reported = {int(epoch): value for epoch, value in trial.user_attrs.get(REPORTED, {}).items()}
        for epoch, value in reported.items():
            trial.report(value, epoch)
        running = Running(trial, self.definition.search.at(values), outcomes, set(), set(reported))
        self.running[trial.number] = running
        if alike := next((each for each in ended(self.study) if each.user_attrs[KEY] == trial.user_attrs[KEY]), None):
            # the figures would be the same: no time is spent on them
            outcomes.update({seed: outcome._replace(seconds=0.0) for seed, outcome in outcomes_of(alike).items()})
        try:
            check_trial(self.definition.search, values)
        except UserError as error:
            self._finish(running, TrialState.FAIL, str(error))
        else:
            self._settle(running)
        return running

    def _answer(self, event: Reached) -> None:
        running = self.running[event.job.trial]
        if event.epoch not in running.reported:
            running.trial.report(event.value, event.epoch)
            running.reported.add(event.epoch)
        # before a stop it has been told to go on
        known = event.epoch < max(running.reported)
        recipe = running.params["recipes"][self.settings.recipe]
        # after its last epoch there is nothing to save
        known = known or event.epoch >= recipe["epochs"]
        self.workers.answer(event.job, known or not running.trial.should_prune())

    def _end(self, event: Ended) -> None:
        self.busy -= 1
        running, outcome = self.running.get(event.job.trial), event.outcome
        if outcome.state == "cut off":
            raise UserError(
                f"{self.definition.search.name}: {outcome.reason}: put that right, then the same command goes on"
            )
        if running is None:
            return
        running.outcomes[event.job.seed] = outcome
        note_outcomes(running.trial, running.outcomes)
        self._settle(running)

    def _settle(self, running: Running) -> None:
        """End a trial if what came of its trainings so far decides it."""
        outcomes = running.outcomes.values()
        bad = next((outcome for outcome in outcomes if outcome.state != "finished"), None)
        if bad:
            state = TrialState.FAIL if bad.state == "failed" else TrialState.PRUNED
            self._finish(running, state, bad.reason)
        elif len(outcomes) == self.settings.seeds:
            self._finish(running, TrialState.COMPLETE, None)

    def _finish(self, running: Running, state: TrialState, reason: str | None) -> None:
        trial, outcomes = running.trial, running.outcomes
        del self.running[trial.number]
        note_outcomes(trial, outcomes)
        if reason:
            trial.set_user_attr(REASON, reason)
        values = [outcome.value for outcome in outcomes.values() if outcome.value is not None]
        self.tell(self.study.tell(trial, fmean(values) if state == TrialState.COMPLETE else None, state))
        trials = ended(self.study)
        # the same values count once
        tried = {each.user_attrs[KEY]: each for each in trials}
        failed = [each for each in tried.values() if each.state == TrialState.FAIL]
        if len(tried) >= LEAST_TRIALS and len(failed) > LARGEST_FAILED * len(tried):
            reasons = dict.fromkeys(each.user_attrs[REASON] for each in failed)
            raise UserError(
                f"{self.definition.search.key}: {len(failed)} of {len(tried)} trials have failed: correct the space",
                *(f"  {reason}" for reason in reasons),
            )
