"""Running a stage script: its command line, and errors without a traceback."""

import argparse
import inspect
import sys
from collections.abc import Callable
from pathlib import Path

from image_recipes.core.errors import UserError, escape, one_line
from image_recipes.core.locks import wait_for_lock


def run_stage(main: Callable[..., None]) -> None:
    """Run a stage's `main` with the name from the command line, if it takes one.

    Args:
        main: a function of nothing, or of the name of a recipe or a dataset. The first
            line of its docstring is shown by `--help`.
    """
    spec = sys.modules["__main__"].__spec__
    parser = argparse.ArgumentParser(
        prog=f"python -m {spec.name}" if spec else None,
        description=(main.__doc__ or "").partition("\n")[0],
    )
    for name in inspect.signature(main).parameters:
        parser.add_argument(name)
    given = vars(parser.parse_args())
    exit_on_user_error(lambda: _run_alone(main, given))


def _run_alone(main: Callable[..., None], given: dict[str, str]) -> None:
    """Run a stage while no other process does."""
    stage = "@".join([Path(inspect.getfile(main)).stem, *given.values()])
    with wait_for_lock(stage):
        main(**given)


def exit_on_user_error(command: Callable[[], None]) -> None:
    """Run a command; print what the user can fix without a traceback, and exit with 1.

    Args:
        command: what to run. UserError and errors of the file system (a full disk, a
            file without permission) are the user's; anything else is our bug and keeps
            its traceback.
    """
    try:
        command()
    except UserError as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"error: {escape(str(error.filename or 'file'))}: {error.strerror or one_line(error)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("error: stopped by the keyboard", file=sys.stderr)
        sys.exit(130)
