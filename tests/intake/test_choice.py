"""What can be read in two ways is asked once on a terminal."""

import fcntl
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from pictures import make_folder
from projects import Project


def converse(pets: Path, answers: bytes) -> tuple[str, int]:
    """Call `add` on a terminal, and answer what it asks; return what is on the screen, and the exit code."""
    command = "from image_recipes.cli import main; main()"
    arguments = ["add", str(pets), "--name", "x", "--dry-run"]
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", command, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
        # a terminal of its own, so that Ctrl-C reaches it
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    said = b""
    while not said.rstrip().endswith(b"which one:"):
        said += os.read(terminal, 1024)
    os.write(terminal, answers)
    while True:
        try:
            said += os.read(terminal, 1024)
        except OSError:  # the other side is closed
            break
    return said.decode(), process.wait()


@pytest.mark.parametrize(("answer", "classes"), [("1", "2 classes: Cat 26, dog 12"), ("2", "3 classes: Cat 14")])
def test_a_person_at_a_terminal_is_asked_once(
    answer: str, classes: str, in_bare_project: Project, tmp_path: Path
) -> None:
    make_folder(tmp_path / "pets", {"Cat": 14, "cat": 12, "dog": 12})
    text, code = converse(tmp_path / "pets", f"7\n{answer}\n".encode())

    assert code == 0
    assert "1. they are the same (--merge-classes)" in text
    assert "7 is not in the range" in text
    assert classes in text


def test_a_person_who_breaks_off_sees_no_traceback(in_bare_project: Project, tmp_path: Path) -> None:
    make_folder(tmp_path / "pets", {"Cat": 14, "cat": 12, "dog": 12})
    said, code = converse(tmp_path / "pets", b"\x03")

    assert code != 0
    assert "Traceback" not in said
    assert "Abort" in said
