"""A project of its own for a small task, to which `image-recipes add` has added it; without DVC."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.contender import SEED
from benchmarks.small_tasks import SMALL_TASKS, write_task
from image_recipes.commands.add import RAW_FOLDER
from image_recipes.commands.add_params import DEFAULT_WEIGHTS, plan_params
from image_recipes.commands.params_file import write_params
from image_recipes.core.files import write_text
from image_recipes.core.params import PARAMS_FILE
from image_recipes.intake.columns import TableOptions
from image_recipes.intake.look import look_at
from image_recipes.intake.read_table import read_table
from image_recipes.models.recipe import WEIGHTS_FOLDER

NO_PARAMS = "seed: 0\nheatmaps: true\ndatasets: {}\nrecipes: {}\narchitectures: {}\n"


@contextlib.contextmanager
def project_with(name: str) -> Iterator[Path]:
    """Write a small task, and make a new project the current folder, as `add` leaves it.

    Recipes are `<name>_cnn` and, if this project has DEFAULT_WEIGHTS, `<name>_transfer`.

    Args:
        name: the task's, and the dataset's.

    Yields:
        The task's table.

    Raises:
        UserError: what the task needs is not installed.
    """
    weights = WEIGHTS_FOLDER.resolve()
    with tempfile.TemporaryDirectory() as folder:
        table = write_task(SMALL_TASKS[name], Path(folder) / "pictures", SEED)
        project = Path(folder) / "project"
        (project / RAW_FOLDER).mkdir(parents=True)
        (project / WEIGHTS_FOLDER).symlink_to(weights)
        with contextlib.chdir(project):
            write_text(NO_PARAMS, PARAMS_FILE)
            found = read_table(table, TableOptions(("label",), task=SMALL_TASKS[name].task), None)
            transfer = DEFAULT_WEIGHTS if DEFAULT_WEIGHTS.exists() else None
            write_params(plan_params(name, found, look_at(found.sources, name), RAW_FOLDER / name, transfer))
            (RAW_FOLDER / name).symlink_to(table.parent)
            yield table
