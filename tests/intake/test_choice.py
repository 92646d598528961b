"""What can be read in two ways is asked once on a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from pictures import make_folder
from projects import Project


@pytest.mark.parametrize(("answer", "classes"), [("1", "2 classes: Cat 26, dog 12"), ("2", "3 classes: Cat 14")])
def test_a_person_at_a_terminal_is_asked_once(
    answer: str, classes: str, in_bare_project: Project, tmp_path: Path
) -> None:
    make_folder(tmp_path / "pets", {"Cat": 14, "cat": 12, "dog": 12})
    command = "from image_recipes.cli import main; main()"
    arguments = ["add", str(tmp_path / "pets"), "--name", "x", "--dry-run"]
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", command, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    said = b""
    while not said.rstrip().endswith(b"which one:"):
        said += os.read(terminal, 1024)
    os.write(terminal, f"7\n{answer}\n".encode())
    while True:
        try:
            said += os.read(terminal, 1024)
        except OSError:  # the other side is closed
            break

    assert process.wait() == 0
    text = said.decode()
    assert "1. they are the same (--merge-classes)" in text
    assert "7 is not in the range" in text
    assert classes in text
