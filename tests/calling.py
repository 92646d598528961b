"""The command `image-recipes`, called in this process: another takes seconds to import TensorFlow."""

from typer.testing import CliRunner, Result

from image_recipes.cli import app

RUNNER = CliRunner(env={"COLUMNS": "200"})


def call(*arguments: str) -> Result:
    """Call a verb that must succeed, in the current folder; what is no error of a user is raised."""
    result = RUNNER.invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def call_fails(*arguments: str, exit_code: int = 1) -> str:
    """Call a verb that must fail by a clear error, and return all it prints."""
    result = RUNNER.invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    assert "Traceback" not in result.output, result.output
    return result.output
