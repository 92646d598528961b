"""Who trains: the seam where trainings are handed out, and processes of this machine behind it."""

import contextlib
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple, Protocol

import psutil

from image_recipes.core.parent import end_with_parent
from image_recipes.search.jobs import Job, Outcome


class Reached(NamedTuple):
    """A training has reached an epoch, and waits to be told whether to go on."""

    job: Job
    epoch: int
    value: float


class Ended(NamedTuple):
    """A training has ended."""

    job: Job
    outcome: Outcome


class Workers(Protocol):
    """Those who train, each one job at a time."""

    count: int

    def start(self, job: Job) -> None:
        """Hand out a job; fewer than `count` are under way."""

    def wait(self) -> list[Reached | Ended]:
        """Wait until something has happened."""

    def answer(self, job: Job, go_on: bool) -> None:
        """Answer a training that has reached an epoch."""


@dataclass
class _Worker:
    number: int
    process: BaseProcess
    connection: Connection
    job: Job | None = None
    started: float = 0.0


class LocalWorkers:
    """Processes of this machine, each with its share of the cores. Made by `local_workers`.

    Args:
        count: how many.
        log: where each writes what it says: this path, its number and `.log`.
    """

    def __init__(self, count: int, log: Path) -> None:
        self.count, self._log = count, log
        self._workers: list[_Worker] = []
        # trial and seed of those whose process has died once, of whatever
        self._given_again: set[tuple[int, int]] = set()
        # macOS knows no affinity
        self._cores = psutil.Process().cpu_affinity() if hasattr(psutil.Process, "cpu_affinity") else None

    def start(self, job: Job) -> None:
        """Hand out a job to a process that is idle, or to a new one."""
        worker = next((worker for worker in self._workers if worker.job is None), None) or self._make()
        self._give(worker, job)

    def wait(self) -> list[Reached | Ended]:
        """Wait until a training has reached an epoch or ended; one whose process has died twice has failed."""
        events: list[Reached | Ended] = []
        while not events:
            busy = {worker.connection: worker for worker in self._workers if worker.job}
            for connection in wait([*busy]):
                if event := self._receive(busy[connection]):  # type: ignore[index]
                    events.append(event)
        return events

    def answer(self, job: Job, go_on: bool) -> None:
        """Answer a training that has reached an epoch."""
        worker = next(worker for worker in self._workers if worker.job == job)
        # a process that has died meanwhile is met by `wait`
        with contextlib.suppress(OSError):
            worker.connection.send(go_on)

    def close(self) -> None:
        """End all processes."""
        for worker in [*self._workers]:
            self._end(worker)

    def _give(self, worker: _Worker, job: Job) -> None:
        worker.job, worker.started = job, time.monotonic()
        with contextlib.suppress(OSError):
            worker.connection.send(job)

    def _receive(self, worker: _Worker) -> Reached | Ended | None:
        assert worker.job
        try:
            event = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            job = worker.job
            if (job.trial, job.seed) not in self._given_again:
                self._given_again.add((job.trial, job.seed))
                self._end(worker)
                self._give(self._make(), job)
                return None
            reason = f"its process ended twice ({worker.process.exitcode}): too little memory?"
            outcome = Outcome("failed", None, 0, time.monotonic() - worker.started, reason)
            self._end(worker)
            return Ended(worker.job, outcome)
        if event is None:
            # its threads are set, and this job needs others
            self._end(worker)
            self._give(self._make(), worker.job)
        elif isinstance(event, Ended):
            worker.job = None
        return event  # type: ignore[no-any-return]

    def _make(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        taken = {worker.number for worker in self._workers}
        number = next(number for number in range(self.count) if number not in taken)
        cores = self._cores[number :: self.count] if self._cores and self.count > 1 else None
        log = self._log.with_name(f"{self._log.name}.{number}.log")
        process = context.Process(target=_work, args=(theirs, cores, log), daemon=True)
        process.start()
        theirs.close()
        self._workers.append(worker := _Worker(number, process, ours))
        return worker

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.terminate()
        worker.process.join()


@contextlib.contextmanager
def local_workers(count: int, log: Path) -> Iterator[LocalWorkers]:
    """Open processes of this machine, and end them with the block."""
    log.parent.mkdir(parents=True, exist_ok=True)
    workers = LocalWorkers(count, log)
    try:
        yield workers
    finally:
        workers.close()


def _work(connection: Connection, cores: list[int] | None, log: Path) -> None:
    end_with_parent()
    with log.open("a", encoding="utf-8", buffering=1) as said:
        os.dup2(said.fileno(), sys.stdout.fileno())
        os.dup2(said.fileno(), sys.stderr.fileno())
    if cores:
        psutil.Process().cpu_affinity(cores)
    # here, since TensorFlow counts the cores when it is imported
    from image_recipes.search.training import count_parts, train_trial

    parts = None
    # the other end is closed when the search ends
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            job: Job = connection.recv()
            parts = parts or count_parts(job)
            if count_parts(job) != parts:
                connection.send(None)
                return

            def go_on(epoch: int, value: float, job: Job = job) -> bool:
                connection.send(Reached(job, epoch, value))
                return bool(connection.recv())

            connection.send(Ended(job, train_trial(job, go_on)))
