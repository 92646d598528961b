"""The command line itself: its help, its errors, and how soon it answers."""

import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from calling import RUNNER, call, call_fails
from image_recipes import cli
from image_recipes.core.errors import UserError

HEAVY = {"tensorflow", "keras", "dvc", "altair", "gradio", "matplotlib", "pandas", "sklearn", "scipy", "vl_convert"}
COMMANDS = get_command(cli.app)
assert isinstance(COMMANDS, TyperGroup)
VERBS = list(COMMANDS.commands)


def help_of(*arguments: str) -> str:
    """Return a help as a terminal of 80 columns shows it."""
    result = RUNNER.invoke(cli.app, [*arguments, "--help"], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    return result.output


def test_the_help_lists_every_verb_with_a_whole_sentence() -> None:
    listed = re.findall(r"^  ([\w-]+) {2,}(\S.*)$", help_of().partition("Commands:\n")[2], flags=re.MULTILINE)

    assert [verb for verb, _ in listed] == VERBS
    for verb, sentence in listed:
        assert re.fullmatch(r"[A-Z].*[^.]\.|[A-Z].*\?", sentence), verb
        assert "..." not in sentence, verb
    assert help_of() == RUNNER.invoke(cli.app, ["-h"], env={"COLUMNS": "80"}).output


def test_without_a_verb_the_help_is_shown() -> None:
    assert RUNNER.invoke(cli.app, [], env={"COLUMNS": "80"}).output == help_of()


@pytest.mark.parametrize("verb", VERBS)
def test_the_examples_of_a_verb_can_be_called(verb: str) -> None:
    assert isinstance(COMMANDS, TyperGroup)
    examples = [line.strip() for line in help_of(verb).partition("Examples:\n")[2].splitlines() if line.strip()]

    assert examples
    for example in examples:
        program, called, *arguments = shlex.split(example)
        assert (program, called) == ("image-recipes", verb)
        # an option that there is not, or a missing one, is an error here; nothing is run
        COMMANDS.commands[verb].make_context(verb, arguments)


@pytest.mark.parametrize("verb", VERBS)
def test_arguments_and_options_are_named_in_capitals(verb: str) -> None:
    usage = help_of(verb).splitlines()[0]

    assert re.fullmatch(rf"Usage: image-recipes {verb} [^a-z]*", usage.strip()), usage


def test_the_version_is_that_of_the_package() -> None:
    assert call("--version").stdout == f"image-recipes {version('image-recipes')}\n"


def test_a_mistyped_verb_gets_a_suggestion() -> None:
    assert "Did you mean 'predict'?" in call_fails("predcit", exit_code=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo", "--port", "80"], "Invalid value for '--port'"),
        (["demo", "--port", "99999"], "Invalid value for '--port'"),
        (["demo", "--port", "x"], "Invalid value for '--port'"),
        (["add", "photos"], "Missing option '--name'"),
        (["add", "photos", "--nam", "x"], "--name"),
        (["export", "net"], "Missing option '--to'"),
        (["compare"], "Missing argument"),
    ],
)
def test_a_wrong_use_is_named_in_a_line(arguments: list[str], message: str) -> None:
    output = call_fails(*arguments, exit_code=2)

    (line,) = [line for line in output.splitlines() if line.startswith("Error: ")]
    assert message in line


def test_an_error_of_the_user_is_a_line_each_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(names: list[str]) -> None:
        raise UserError("one thing is wrong", "and another")

    monkeypatch.setattr("image_recipes.commands.check.check_project", fail)

    result = RUNNER.invoke(cli.app, ["check"])

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: one thing is wrong\nerror: and another\n"


def test_an_error_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(names: list[str]) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("image_recipes.commands.check.check_project", fail)

    assert isinstance(RUNNER.invoke(cli.app, ["check"]).exception, ZeroDivisionError)


def test_outside_of_a_project_its_folder_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert call_fails("check") == "error: params.yaml: not found: run this in the project's folder\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["export", "--help"]])
def test_help_comes_without_waiting_for_libraries(arguments: list[str]) -> None:
    program = f"""
import sys
from image_recipes.cli import main
sys.argv = ["image-recipes", *{arguments}]
try:
    main()
finally:
    print(sorted({HEAVY} & sys.modules.keys()), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=True)

    assert done.stdout
    assert done.stderr == "[]\n"
