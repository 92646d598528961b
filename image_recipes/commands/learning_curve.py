"""`image-recipes learning-curve`: would more pictures help? A recipe trained on a quarter, a half and all of them."""

import multiprocessing
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from image_recipes.commands.learning_parts import SHARES, check_parts, choose_parts
from image_recipes.comparison.learning_curve import choose_range, judge_curve, summarize_curve
from image_recipes.core.dataset import load_info, load_prepared, load_split
from image_recipes.core.files import save_table
from image_recipes.core.groups import find_groups
from image_recipes.core.params import load_seed, read_params
from image_recipes.core.parent import end_with_parent
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.figures.learning_curve import draw_learning_curve
from image_recipes.models.recipe import Recipe, load_recipe
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.learning_curve import (
    curve_columns,
    curve_file,
    curve_plot,
    hash_inputs,
    load_curve,
)
from image_recipes.results.tables import format_value

WIDTH = 10


class Trained(NamedTuple):
    """What came of a training: from how many pictures, its epochs, and the error of each validation picture, (n,)."""

    pictures: int
    epochs: int
    errors: np.ndarray


def measure_curve(name: str, repeats: int) -> None:
    """Measure a recipe's learning curve, print it, and write it as a table and a plot.

    Args:
        name: the recipe's.
        repeats: so many trainings for each number of pictures; those that lie there for the same params and
            pictures count.

    Raises:
        UserError: there is no such recipe, its pictures are not prepared or too few, or it cannot be trained.
    """
    recipe, seed = load_recipe(name), load_seed()
    folder = Path("data/prepared") / recipe.settings.dataset
    task = load_info(folder).task
    splits = {split: load_split(Path("data/split") / folder.name, split) for split in ("train", "validation")}
    inputs = hash_inputs(read_params(), name, hash_as_dvc(folder), splits)
    known = load_curve(name, task.metric)
    table = pd.DataFrame(columns=curve_columns(task.metric)) if known is None else known[known["inputs"] == inputs]
    done = table["repeat"].nunique()
    _tell_start(recipe, task, len(splits["validation"]), done)
    for number in range(done + 1, repeats + 1):
        rows = _measure_repeat(recipe, task, seed + number - 1).assign(repeat=number, inputs=inputs)
        rows = rows[curve_columns(task.metric)]
        table = rows if table.empty else pd.concat([table, rows], ignore_index=True)
        # after every repeat, so that one that is stopped takes no other with it
        save_table(table, curve_file(name))
        ends = choose_range(task, table)
        draw_learning_curve(table, summarize_curve(task, table), task.metric, ends, curve_plot(name))
    print(*judge_curve(task, table), sep="\n")
    print(f"{curve_file(name)}, {curve_plot(name)}")


def _tell_start(recipe: Recipe, task: Task, validation: int, done: int) -> None:
    print(
        f"{recipe.name}: judged by the {validation:,} validation pictures, since the test pictures are for the end",
        file=sys.stderr,
    )
    if not recipe.settings.early_stopping:
        print(
            f"{recipe.name}: without early_stopping, half of the pictures also means half of the steps: a part of the "
            "gain may come from those",
            file=sys.stderr,
        )
    if recipe.settings.start_from.endswith(".keras"):
        print(
            f"{recipe.name}: starts from {recipe.settings.start_from}: if that has learned from these pictures, "
            "each part begins with what all of them have taught, and the curve is too flat",
            file=sys.stderr,
        )
    if done:
        print(f"{recipe.name}: repeats measured before, for the same params and pictures: {done}", file=sys.stderr)
    _print_row("pictures", "epochs", task.metric, "seconds")


def _measure_repeat(recipe: Recipe, task: Task, seed: int) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    before = None
    for place in range(len(SHARES)):
        started = time.monotonic()
        # training wants to be the first that TensorFlow does in a process
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), end_with_parent) as process:
            trained = process.submit(_train, recipe, place, seed).result()
        value = task.error(float(trained.errors.mean()))
        row = {"pictures": trained.pictures, "epochs": trained.epochs, task.metric: value}
        gains = np.full(1, np.nan) if before is None else before - trained.errors
        rows.append({**row, "gain": gains.mean(), "gain_error": gains.std() / np.sqrt(len(gains))})
        shown = (f"{trained.pictures:,}", trained.epochs, format_value(task.metric, value))
        _print_row(*shown, f"{time.monotonic() - started:.1f}")
        before = trained.errors
    return pd.DataFrame(rows)


def _print_row(*cells: object) -> None:
    print("".join(f"{cell:>{WIDTH}}" for cell in cells), flush=True)


def _train(recipe: Recipe, place: int, seed: int) -> Trained:
    """Train on one of the parts; in a process that has not imported TensorFlow yet."""
    from image_recipes.evaluation.inference import predict
    from image_recipes.training.fit import train_recipe

    dataset = recipe.settings.dataset
    folder = Path("data/prepared") / dataset
    prepared = load_prepared(folder)
    training, validation = (load_split(Path("data/split") / dataset, split) for split in ("train", "validation"))
    parts = choose_parts(prepared.targets[training], find_groups(folder, training), prepared.info.task, seed)
    check_parts(parts, recipe.settings.batch_size, recipe.key)
    splits = {"train": prepared.subset(training[parts[place]]), "validation": prepared.subset(validation)}
    model, history = train_recipe(recipe, prepared.info, splits, seed)
    outputs = predict(model, splits["validation"])
    errors = ERRORS[prepared.info.task](splits["validation"].targets, outputs)
    return Trained(len(parts[place]), len(history), errors)


# of each picture, (n,), from targets (n,) and outputs (n, units); their mean is the task's `error`
ERRORS: Mapping[Task, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    CLASSIFICATION: lambda targets, outputs: (outputs.argmax(axis=1) != targets).astype(float),
    REGRESSION: lambda targets, outputs: (outputs[:, 0].astype(float) - targets) ** 2,
}
