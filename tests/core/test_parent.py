"""A stage ends with DVC, and a worker with the command it works for, however these end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from projects import ROOT

# as DVC does: a shell, which some give their own process over to the command, and others do not
PARENT = "import subprocess, sys; subprocess.run([*sys.argv[1:]])"
CHILD = "import pathlib, os, time; import stages; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
POOL = """
import multiprocessing, os, pathlib, time
from concurrent.futures import ProcessPoolExecutor
from image_recipes.core.parent import end_with_parent
if __name__ == "__main__":
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), end_with_parent) as processes:
        pathlib.Path("partial").write_text(str(processes.submit(os.getpid).result()))
        pathlib.Path("partial").rename("pid")
        time.sleep(60)
"""


@pytest.fixture
def _started(tmp_path: Path) -> Iterator[None]:
    yield
    if (tmp_path / "pid").exists() and psutil.pid_exists(int((tmp_path / "pid").read_text("utf-8"))):
        os.kill(int((tmp_path / "pid").read_text("utf-8")), signal.SIGKILL)


def start(
    command: list[str], folder: Path, stage: str | None = "train@x"
) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    """Start a command, and return it and the process that has written its number."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment |= {"DVC_STAGE": stage} if stage else {}
    parent = subprocess.Popen(command, cwd=folder, env=environment)
    file, end = folder / "pid", time.monotonic() + 60
    while not (file.exists() and file.read_text("utf-8")):
        assert time.monotonic() < end
        time.sleep(0.05)
    return parent, psutil.Process(int(file.read_text("utf-8")))


@pytest.mark.usefixtures("_started")
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM], ids=["KILL", "TERM"])
@pytest.mark.parametrize("shell", [(), ("/bin/sh", "-c", '"$@"; exit $?', "sh")], ids=["without", "with"])
def test_a_stage_ends_when_dvc_is_killed(tmp_path: Path, signal_number: int, shell: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", PARENT, *shell, sys.executable, "-c", CHILD]
    parent, child = start(command, tmp_path)
    assert child.is_running()

    parent.send_signal(signal_number)
    parent.wait(10)

    child.wait(10)


@pytest.mark.parametrize(("writer", "status"), [("ended", -signal.SIGKILL), ("running", 0), ("other", 0), ("none", 0)])
def test_a_stage_that_starts_after_dvc_was_killed_ends(tmp_path: Path, writer: str, status: int) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    # another one that runs may be in another terminal
    number = {"ended": ended.pid, "running": os.getpid(), "other": 1, "none": 0}[writer]
    uses = {"write": {"models/x.keras": {"pid": number, "cmd": "dvc repro"}} if number else {}, "read": {}}
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    (tmp_path / ".dvc/tmp/rwlock").write_text(json.dumps(uses), "utf-8")

    # an experiment of DVC's queue has the project's folder there, and runs in another
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_STAGE": "train@x", "DVC_ROOT": str(tmp_path.parent)}
    done = subprocess.run([sys.executable, "-c", "import stages"], cwd=tmp_path, env=environment)
    assert done.returncode == status


@pytest.mark.usefixtures("_started")
def test_a_script_that_a_user_runs_alone_goes_on(tmp_path: Path) -> None:
    # as by nohup, after the terminal is closed
    parent, child = start([sys.executable, "-c", PARENT, sys.executable, "-c", CHILD], tmp_path, stage=None)

    parent.kill()
    parent.wait(10)

    with pytest.raises(psutil.TimeoutExpired):
        child.wait(2)


@pytest.mark.usefixtures("_started")
def test_a_worker_ends_with_the_command_it_works_for(tmp_path: Path) -> None:
    (tmp_path / "pool.py").write_text(POOL, "utf-8")
    parent, child = start([sys.executable, "pool.py"], tmp_path, stage=None)

    parent.kill()
    parent.wait(10)

    child.wait(10)
