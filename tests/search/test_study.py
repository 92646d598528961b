"""Trials that a stop cuts off at any moment, and those of an earlier space, by workers that follow a script."""

import contextlib
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from image_recipes.core.errors import UserError
from image_recipes.core.params import validate
from image_recipes.core.tasks import REGRESSION
from image_recipes.search.definition import Definition, define
from image_recipes.search.jobs import Job, Outcome
from image_recipes.search.run import run_search
from image_recipes.search.sampling import silence
from image_recipes.search.settings import Search, SearchSettings
from image_recipes.search.study import Opened, ended, number_of, open_study
from image_recipes.search.workers import Ended, Reached

FILTERS = "architectures.pool[0].Conv2D.filters"
PARAMS: dict[str, Any] = {
    "seed": 0,
    "datasets": {"dots": {}},
    "recipes": {
        "net": {
            "dataset": "dots",
            "architecture": "pool",
            "start_from": "data/weights/random",
            "epochs": 12,
            "batch_size": 32,
            "precision": "float32",
            "jit_compile": "auto",
            "optimizer": {"name": "Adam", "learning_rate": 0.01},
        }
    },
    "architectures": {
        "pool": [{"Conv2D": {"filters": 8, "kernel_size": 3}}, "Flatten"],
        "flat": ["Flatten", {"Dense": {"units": 4}}],
    },
}
SETTINGS: dict[str, Any] = {
    "recipe": "net",
    "metric": "val_loss",
    "sampler": "grid",
    "pruner": "none",
    "trials": 9,
    "seeds": 1,
    "space": {FILTERS: [2, 3, 4, 5]},
}


class StopError(Exception):
    """Stands for a kill."""


class Script:
    """Workers that train nothing: a training has as its figure in each epoch what the script says.

    Args:
        count: of workers.
        say: the figures of a job, an epoch each; or how it fails.
        stop_after: raise instead of the event after so many.
    """

    def __init__(
        self, say: Callable[[Job], list[float] | Outcome], count: int = 1, stop_after: int | None = None
    ) -> None:
        self.count, self._say, self._stop_after = count, say, stop_after
        self.started: list[tuple[int, int]] = []
        self._under_way: list[tuple[Job, int, bool]] = []

    def start(self, job: Job) -> None:
        self.started.append((filters_of(job), job.seed))
        self._under_way.append((job, 0, True))

    def wait(self) -> list[Reached | Ended]:
        if self._stop_after is not None and not self._stop_after:
            raise StopError
        self._stop_after = self._stop_after and self._stop_after - 1
        job, epoch, goes_on = self._under_way.pop(0)
        figures = self._say(job)
        if isinstance(figures, Outcome):
            return [Ended(job, figures)]
        if not goes_on:
            return [Ended(job, Outcome("stopped early", None, epoch, 0.1))]
        if not job.reports or epoch == len(figures):
            return [Ended(job, Outcome("finished", figures[-1], len(figures), 0.1))]
        self._under_way.append((job, epoch + 1, True))
        return [Reached(job, epoch + 1, figures[epoch])]

    def answer(self, job: Job, go_on: bool) -> None:
        [place] = [place for place, (other, _, _) in enumerate(self._under_way) if other == job]
        self._under_way[place] = (job, self._under_way[place][1], go_on)


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    silence()


def filters_of(job: Job) -> int:
    return int(job.params["architectures"]["pool"][0]["Conv2D"]["filters"])


def by_filters(job: Job) -> list[float]:
    return [float(filters_of(job))] * 12


def define_with(params: dict[str, Any] = PARAMS, **changes: Any) -> Definition:
    settings = validate(SearchSettings, {**SETTINGS, **changes}, "searches.tune")
    return define(Search("tune", settings, params), REGRESSION, "digest")


def changed(*path: str | int, value: Any) -> dict[str, Any]:
    params = copy.deepcopy(PARAMS)
    section = params
    for part in path[:-1]:
        section = section[part]  # type: ignore[index]
    section[path[-1]] = value  # type: ignore[index]
    return params


def run(definition: Definition, workers: Script, tell: Callable[[FrozenTrial], None] = lambda _: None) -> Opened:
    opened = open_study(definition, restart=False)
    run_search(definition, opened.study, workers, "abc", tell)
    return opened


def show(study: optuna.Study) -> list[tuple[int, int, str, float | None]]:
    """Show the trials: number, filters, state and figure."""
    return [
        (number_of(t), t.params[FILTERS], t.state.name, t.value if t.state == TrialState.COMPLETE else None)
        for t in ended(study)
    ]


WHOLE = [(place + 1, place + 2, "COMPLETE", place + 2.0) for place in range(4)]


@pytest.mark.parametrize("when", ["ask", "enqueue_trial", "tell"])
@pytest.mark.parametrize("before", [True, False])
def test_a_stop_at_any_call_loses_no_trial_and_repeats_none(
    when: str, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # at each of its calls in turn
    for turn in range(1, 5):
        Path("data/searches/tune.journal").unlink(missing_ok=True)
        count = 0
        real = getattr(optuna.Study, when)

        def stopping(*given: Any, real: Any = real, turn: int = turn, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == turn and before:
                raise StopError
            found = real(*given, **named)
            if count == turn and not before:
                raise StopError
            return found

        with monkeypatch.context() as patch:
            patch.setattr(optuna.Study, when, stopping)
            with pytest.raises(StopError):
                run(define_with(), Script(by_filters))

        # stopped once more where trials are put in line again
        with contextlib.suppress(StopError), monkeypatch.context() as patch:
            patch.setattr(optuna.Study, "tell", stop)
            run(define_with(), Script(by_filters))
        opened = run(define_with(), Script(by_filters))

        assert sorted(trial[1:] for trial in show(opened.study)) == [trial[1:] for trial in WHOLE]
        assert [trial[0] for trial in show(opened.study)] == [1, 2, 3, 4]


def stop(*_: Any, **__: Any) -> None:
    raise StopError


def test_a_training_that_had_ended_is_not_repeated_and_keeps_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    def say(job: Job) -> list[float] | Outcome:
        if filters_of(job) == 3 and job.seed == 0:
            return Outcome("failed", None, 1, 0.1, "does not fit")
        return by_filters(job)

    real, told = optuna.Study.tell, 0

    def tell(*given: Any, **named: Any) -> Any:
        nonlocal told
        told += 1
        # the stop comes before the second trial is noted as failed
        if told == 2:
            raise StopError
        return real(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "tell", tell)
        with pytest.raises(StopError):
            run(define_with(seeds=2), Script(say))
    workers = Script(say)
    opened = run(define_with(seeds=2), workers)

    assert [trial[1:3] for trial in show(opened.study)] == [
        (2, "COMPLETE"),
        (3, "FAIL"),
        (4, "COMPLETE"),
        (5, "COMPLETE"),
    ]
    assert workers.started == [(4, 0), (4, 1), (5, 0), (5, 1)]


def test_with_a_pruner_other_seeds_wait_for_the_first() -> None:
    figures = {2: 1.0, 3: 2.0, 4: 3.0, 5: 1.5, 6: 2.5, 8: 1.2, 9: 1.1, 7: 90.0}
    space = {FILTERS: list(figures)}

    def say(job: Job) -> list[float] | Outcome:
        if filters_of(job) == 4 and job.seed == 1:
            return Outcome("failed", None, 3, 0.1, "not finite")
        return [figures[filters_of(job)]] * 12

    workers = Script(say, count=2)
    opened = run(define_with(seeds=2, pruner="median", space=space), workers)

    states = {trial[1]: trial[2] for trial in show(opened.study)}
    assert states[7] == "PRUNED"
    assert states[4] == "FAIL"
    assert (7, 1) not in workers.started
    assert workers.started.index((2, 1)) > workers.started.index((3, 0))


def test_what_a_pruner_knew_before_a_stop_it_knows_after_it() -> None:
    space = {FILTERS: [2, 3, 4, 5, 6, 7]}

    def say(job: Job) -> list[float]:
        # the last one is worse than most in the end, as the pruner sees from its best figure so far
        return [0.5, 0.6, 0.7, 0.8, *[9.0] * 8] if filters_of(job) == 7 else by_filters(job)

    whole = run(define_with(pruner="median", space=space), Script(say))
    expected = show(whole.study)
    Path("data/searches/tune.journal").unlink()
    with pytest.raises(StopError):
        # in the sixth trial
        run(define_with(pruner="median", space=space), Script(say, stop_after=5 * 13 + 5))

    def goes_on(job: Job) -> list[float]:
        # from the state of an earlier epoch
        return say(job)[3:] if filters_of(job) == 7 else say(job)

    opened = run(define_with(pruner="median", space=space), Script(goes_on))

    assert [trial[:3] for trial in show(opened.study)] == [trial[:3] for trial in expected]
    assert ended(opened.study)[-1].intermediate_values[1] == 0.5


def test_the_same_values_are_trained_once() -> None:
    def say(job: Job) -> list[float] | Outcome:
        return Outcome("failed", None, 1, 0.1, "too large") if filters_of(job) == 3 else by_filters(job)

    workers = Script(say)
    opened = run(define_with(sampler="random", trials=12, seeds=2, space={FILTERS: [2, 3]}), workers)

    # one of two values fails, however often it is drawn
    assert sorted(workers.started) == [(2, 0), (2, 1), (3, 0)]
    states = {trial[1]: trial[2:] for trial in show(opened.study)}
    assert states == {2: ("COMPLETE", 2.0), 3: ("FAIL", None)}
    assert len(ended(opened.study)) == 12


def test_a_training_that_has_reached_its_last_epoch_is_kept() -> None:
    space = {FILTERS: [2, 3, 4, 5, 6, 7]}

    def say(job: Job) -> list[float]:
        # worse than the others only in its last epoch
        return [5.0] * 11 + [4.0 if filters_of(job) == 7 else 0.1]

    opened = run(define_with(pruner="median", space=space), Script(say))

    assert {trial[2] for trial in show(opened.study)} == {"COMPLETE"}


def test_what_is_no_trial_s_fault_stops_the_search_and_is_repeated() -> None:
    def full(job: Job) -> list[float] | Outcome:
        if filters_of(job) == 3:
            return Outcome("cut off", None, 1, 0.1, "No space left on device: 'data/unfinished'")
        return by_filters(job)

    with pytest.raises(UserError, match=r"No space left on device.* the same command goes on"):
        run(define_with(), Script(full))
    opened = run(define_with(), Script(by_filters))

    assert show(opened.study) == WHOLE


def test_other_layers_that_a_trial_may_choose_are_trained_anew() -> None:
    space = {"recipes.net.architecture": ["pool", "flat"]}
    run(define_with(space=space), Script(by_filters))
    params = changed("architectures", "flat", value=["Flatten", {"Dense": {"units": 5}}])

    workers = Script(by_filters)
    opened = run(define_with(params, space=space), workers)

    assert len(workers.started) == 1
    assert (opened.taken, opened.earlier) == (1, 2)


def test_another_model_to_start_from_is_trained_anew() -> None:
    Path("models").mkdir()
    model = Path("models/x.keras")
    params = changed("recipes", "net", "start_from", value=model.as_posix())
    model.write_bytes(b"one")
    run(define_with(params), Script(by_filters))
    model.write_bytes(b"two")

    workers = Script(by_filters)
    run(define_with(params), workers)

    assert len(workers.started) == 4


def test_the_other_direction_is_another_search() -> None:
    run(define_with(metric="val_mine", mode="min"), Script(by_filters))
    opened = run(define_with(metric="val_mine", mode="max"), Script(by_filters))

    assert opened.study.direction == optuna.study.StudyDirection.MAXIMIZE
    assert opened.taken == 4


def test_taking_over_that_is_stopped_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    run(define_with(), Script(by_filters))
    real, added = optuna.Study.add_trial, 0

    def add(*given: Any) -> None:
        nonlocal added
        added += 1
        if added == 3:
            raise StopError
        real(*given)

    wider = {FILTERS: [1, 2, 3, 4, 5]}
    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "add_trial", add)
        with pytest.raises(StopError):
            open_study(define_with(space=wider), restart=False)

    workers = Script(by_filters)
    opened = run(define_with(space=wider), workers)

    assert workers.started == [(1, 0)]
    assert (opened.taken, opened.earlier) == (4, 4)


def test_trials_that_another_pruner_stopped_are_trained_to_their_end() -> None:
    space = {FILTERS: [2, 3, 4, 5, 6, 90]}
    first = run(define_with(pruner="median", space=space), Script(by_filters))
    assert show(first.study)[-1][1:3] == (90, "PRUNED")

    workers = Script(by_filters)
    opened = run(define_with(space=space), workers)

    assert workers.started == [(90, 0)]
    assert show(opened.study)[-1][1:3] == (90, "COMPLETE")
