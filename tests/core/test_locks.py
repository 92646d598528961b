"""No two processes write the same files: one waits for the other, or is refused, and says why."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text
from image_recipes.core.locks import hold_lock, wait_for_lock
from projects import ROOT

HOLD = """
import sys
from image_recipes.core.locks import wait_for_lock
with wait_for_lock("train@x"):
    print("holds", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "subprocess.Popen[str]":
    """Another process, which holds the lock until it reads a line or is killed."""
    monkeypatch.chdir(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"
    return process


def test_the_second_waits_for_the_first_and_says_so(
    holder: "subprocess.Popen[str]", capsys: pytest.CaptureFixture[str]
) -> None:
    threading.Timer(1.5, holder.communicate, ["\n"]).start()
    with wait_for_lock("train@x"):
        assert holder.poll() is not None or holder.wait(5) == 0

    assert capsys.readouterr().err == f"train@x: waits for process {holder.pid}, which writes the same files\n"


def test_the_second_is_refused(holder: "subprocess.Popen[str]") -> None:
    told = f"process {holder.pid} is adding pictures: wait until it has ended"
    with pytest.raises(UserError, match=told), hold_lock("train@x", "adding pictures"):
        pass
    # another name is free
    with hold_lock("train@y", "adding pictures"):
        pass
    holder.kill()
    holder.wait()


def test_a_lock_whose_holder_was_killed_is_free(
    holder: "subprocess.Popen[str]", capsys: pytest.CaptureFixture[str]
) -> None:
    holder.kill()
    holder.wait()

    with wait_for_lock("train@x"):
        pass
    assert not capsys.readouterr().err


def test_where_a_file_system_knows_no_locks_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(number: int, flags: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fcntl.flock", refuse)

    with wait_for_lock("train@x"):
        pass
    assert "data/locks/train@x.lock: No locks available: see that nothing else writes" in capsys.readouterr().err
    # nor is anything left by files that are written there
    write_text("a", tmp_path / "a.txt")
    assert [file.name for file in tmp_path.iterdir() if file.is_file() or "partial" in file.name] == ["a.txt"]


def test_a_lock_that_cannot_be_written_is_no_lock_of_another_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/locks/train@x.lock").mkdir(parents=True)

    with pytest.raises(IsADirectoryError, match=r"data/locks/train@x\.lock"), wait_for_lock("train@x"):
        pass
