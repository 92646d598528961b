"""A run that is killed: nothing goes on without DVC, and the next run ends as if nothing had been."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from image_recipes.models.recipe import UNFINISHED_FOLDER
from image_recipes.training.states import SECONDS_VARIABLE
from projects import Project

MODEL, HISTORY = "models/tiny_number.keras", "plots/history/dots/tiny_number.csv"


def stages_running(project: Project) -> list[psutil.Process]:
    """Return the stages that run in a project."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        command = process.info["cmdline"] or []
        if process.info["cwd"] == str(project.root) and any(part.split(".")[0] == "stages" for part in command):
            found.append(process)
    return found


def start(project: Project, *command: str) -> "subprocess.Popen[str]":
    """Start a command in a process group of its own, whose trainings keep their state after every epoch."""
    environment = {**os.environ, SECONDS_VARIABLE: "0.001"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        command, cwd=project.root, env=environment, text=True, stderr=subprocess.PIPE, start_new_session=True
    )


def wait_for_state(project: Project, newer_than: float = 0) -> float:
    """Wait until a training has kept a state, and return its time."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        files = [*(project.root / UNFINISHED_FOLDER).rglob("*.npz")]
        if files and (changed := files[0].stat().st_mtime_ns) > newer_than:
            return changed
        time.sleep(0.01)
    raise AssertionError("no state was kept")


@pytest.mark.slow
def test_a_training_killed_with_dvc_goes_on_in_the_next_run(playground: Project) -> None:
    playground.edit("params.yaml", "epochs: 3", "epochs: 1000")
    playground.run("dvc", "repro", "train@tiny_number")
    expected = [(playground.root / name).read_bytes() for name in (MODEL, HISTORY)]

    changed = 0.0
    for signal_number in (signal.SIGKILL, signal.SIGTERM):
        process = start(playground, "dvc", "repro", "--force", "--single-item", "train@tiny_number")
        changed = wait_for_state(playground, changed)
        process.send_signal(signal_number)
        process.communicate()
        psutil.wait_procs(stages_running(playground), timeout=5)
        assert not stages_running(playground)

    # what DVC deleted is not there, and nothing half-written is in its place
    assert not (playground.root / MODEL).exists()
    told = playground.run("dvc", "repro", "--force", "--single-item", "train@tiny_number").stderr
    assert "tiny_number: was stopped, and goes on after" in told
    assert [(playground.root / name).read_bytes() for name in (MODEL, HISTORY)] == expected
    assert not (playground.root / UNFINISHED_FOLDER / "tiny_number").exists()


@pytest.mark.slow
def test_two_runs_of_one_recipe_at_once_write_one_history(playground: Project) -> None:
    playground.edit("params.yaml", "epochs: 3", "epochs: 1000")
    first = start(playground, "dvc", "repro", "train@tiny_number")
    wait_for_state(playground)

    # it stands still until the others have said what they do, however fast it is
    training = stages_running(playground)
    for process in training:
        process.suspend()
    try:
        refused = playground.fails("image-recipes", "repro", "tiny_number")
        alone = start(playground, sys.executable, "-m", "stages.train", "tiny_number")
        assert alone.stderr
        told = next((line for line in alone.stderr if "waits" in line), "")
    finally:
        for process in training:
            process.resume()

    assert alone.wait() == 0, alone.communicate()
    assert first.wait() == 0, first.communicate()
    assert str(first.pid) in refused
    assert "train@tiny_number: waits for process" in told
    lines = (playground.root / HISTORY).read_text("utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", *map(str, range(1, 1001))]
