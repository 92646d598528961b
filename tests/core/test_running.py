"""Running a stage: its command line, and errors that a person can act on, a line each."""

import errno
import sys
from pathlib import Path

import pytest

from image_recipes.core.errors import UserError
from image_recipes.core.running import exit_on_user_error, run_stage


def run_and_exit(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Run a command that raises, and return the exit status and what is printed to standard error."""

    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        exit_on_user_error(command)
    return caught.value.code, capsys.readouterr().err


def test_what_the_user_can_fix_has_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_and_exit(UserError("seed: missing", "epochs: 0"), capsys) == (
        1,
        "error: seed: missing\nerror: epochs: 0\n",
    )
    full = OSError(errno.ENOSPC, "No space left on device", "data/images.npy")
    assert run_and_exit(full, capsys) == (1, "error: data/images.npy: No space left on device\n")
    assert run_and_exit(OSError("lost"), capsys) == (1, "error: file: lost\n")
    assert run_and_exit(KeyboardInterrupt(), capsys) == (130, "error: stopped by the keyboard\n")


def test_our_own_bugs_keep_their_traceback() -> None:
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exit_on_user_error(command)


def test_a_stage_takes_a_name_if_its_main_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # where its lock lies
    monkeypatch.chdir(tmp_path)
    given = []

    def main(recipe: str) -> None:
        """Do something.

        And more.
        """
        given.append(recipe)

    monkeypatch.setattr(sys, "argv", ["stage", "mnist_mlp"])
    run_stage(main)
    assert given == ["mnist_mlp"]

    monkeypatch.setattr(sys, "argv", ["stage", "--help"])
    with pytest.raises(SystemExit) as caught:
        run_stage(main)
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert "Do something." in shown
    assert "And more." not in shown

    monkeypatch.setattr(sys, "argv", ["stage"])
    with pytest.raises(SystemExit) as caught:
        run_stage(main)
    assert caught.value.code == 2
    assert "the following arguments are required: recipe" in capsys.readouterr().err

    run_stage(lambda: given.append("nothing"))
    assert given == ["mnist_mlp", "nothing"]
