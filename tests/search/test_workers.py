"""Who trains: processes of this machine."""

from pathlib import Path
from typing import Any

import psutil
import pytest

from image_recipes.core.params import read_params
from image_recipes.search.jobs import Job
from image_recipes.search.workers import Ended, LocalWorkers, Reached, local_workers
from projects import Project


def run_to_end(workers: LocalWorkers) -> Ended:
    while True:
        for event in workers.wait():
            if isinstance(event, Ended):
                return event
            workers.answer(event.job, go_on=True)


def make_job(trial: int, **changes: Any) -> Job:
    params = read_params()
    params["recipes"]["tiny_number"] |= changes
    return Job(trial, "tiny_number", params, 0, "val_loss", reports=True)


@pytest.fixture
def in_copy(finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.copy(tmp_path / "copy").root)


def kill_when_it_trains(workers: LocalWorkers) -> None:
    [event] = workers.wait()
    assert isinstance(event, Reached)
    [child] = [each for each in psutil.Process().children() if "spawn_main" in " ".join(each.cmdline())]
    child.kill()


def test_a_process_that_dies_twice_fails_its_trial_alone(in_copy: None) -> None:
    with local_workers(1, Path("data/searches/x")) as workers:
        workers.start(make_job(1, epochs=100_000))
        kill_when_it_trains(workers)
        # whatever killed it, such as too little memory, may have been of that moment
        kill_when_it_trains(workers)
        ended = run_to_end(workers)
        workers.start(make_job(2))
        second = run_to_end(workers)

    assert ended.outcome.state == "failed"
    assert "its process ended twice (-9)" in str(ended.outcome.reason)
    assert second.job.trial == 2
    assert second.outcome.state == "finished"


def test_a_job_that_needs_other_threads_gets_a_process_of_its_own(in_copy: None) -> None:
    augmented = make_job(2, augmentation=[{"RandomFlip": {"mode": "horizontal"}}])

    with local_workers(1, Path("data/searches/x")) as workers:
        outcomes = []
        for job in (make_job(1), augmented, make_job(3)):
            workers.start(job)
            outcomes.append(run_to_end(workers).outcome)

    assert [outcome.state for outcome in outcomes] == ["finished"] * 3
    assert outcomes[0].value == outcomes[2].value
