"""Is what `image-recipes add` writes good on small tasks that it was not made for?

The recipes of `add` learn each task beside a linear model on pixels and a plain Keras script. Of the
recipes, the one with the better validation figure is what a person gets: it is judged by test pictures.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.added import project_with
from benchmarks.contender import SEED, run_process
from benchmarks.machine import describe_machine
from benchmarks.pictures import prepare_for_benchmark
from benchmarks.results import save_rows, save_table
from benchmarks.small_tasks import SMALL_TASKS
from image_recipes.core.dataset import load_prepared, load_split
from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.params import SPLIT_NAMES, read_section
from image_recipes.core.running import exit_on_user_error
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.results.predictions import tabulate_predictions

# with three the suite takes an hour
SEEDS = 1
# what a recipe may lie below the plain script: two points
TOLERANCE = 0.02
FIGURES = {CLASSIFICATION: "accuracy", REGRESSION: "r2"}
RECIPES = ("cnn", "transfer")
# a core for each process: small networks keep several busy badly
ONE_CORE = {"KERAS_BACKEND": "tensorflow", "TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}


def main() -> None:
    """Try the tasks, one after the other, and write benchmarks/results/defaults.json and defaults.md.

    Raises:
        UserError: a recipe falls short.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"some of {', '.join(SMALL_TASKS)}")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help=f"trainings of each; {SEEDS} if left out")
    parser.add_argument("--one", nargs=2, metavar=("RECIPE", "FOLDER"), help="train this one here")
    arguments = parser.parse_args()
    if arguments.one:
        recipe, folder = arguments.one
        print(json.dumps({"runs": list(train_seeds(recipe, Path(folder), arguments.seeds))}))
        return
    for name in arguments.tasks:
        if name not in SMALL_TASKS:
            raise UserError(f"{name}: no such task: {did_you_mean(name, SMALL_TASKS)}")
    whole = not arguments.tasks and arguments.seeds >= SEEDS
    rows: list[dict[str, Any]] = []
    for name in arguments.tasks or SMALL_TASKS:
        rows.append({"task": name, **try_task(name, arguments.seeds), "machine": describe_machine()})
        # after each, so that a run that is stopped leaves what it has found
        _save(rows, "defaults-part")
    print(_save(rows, "defaults" if whole else "defaults-part"))
    if short := list(find_short(rows)):
        raise UserError("\n".join(short))


def _save(rows: list[dict[str, Any]], name: str) -> str:
    save_rows(rows, name)
    return save_table(tabulate(rows), name)


def try_task(name: str, seeds: int) -> dict[str, Any]:
    """Have all contenders learn a task, several processes side by side; say why not, if it is left out."""
    task, started = SMALL_TASKS[name], time.perf_counter()

    def tell(what: str) -> None:
        print(f"{name}: {what} ({time.perf_counter() - started:.0f} s)", flush=True)

    if task.needs and not task.needs.exists():
        tell(f"left out: {task.needs} is not there")
        return {"skipped": f"{task.needs} is not there"}
    with project_with(name) as table, ThreadPoolExecutor(os.cpu_count()) as pool:
        folder = Path("data/prepared") / name
        prepare_for_benchmark(name, folder)
        tell("prepared")
        calls = {"plain": ["plain_keras", str(table), task.task, str(int(task.flips)), str(seeds)]}
        # what takes longest begins
        for recipe in reversed(read_section("recipes")):
            arguments = ["--one", recipe, str(folder), "--seeds", str(seeds)]
            calls[recipe.removeprefix(f"{name}_")] = ["defaults", *arguments]

        def run(contender: str) -> tuple[str, list[dict[str, float]]]:
            runs = run_process(*calls[contender], environment=ONE_CORE)["runs"]
            tell(f"{contender}: {_show(runs)}")
            return contender, runs

        row: dict[str, Any] = {"kind": task.task, "linear": score_linear(folder)}
        row["pictures"] = {split: len(load_split(folder / "split", split)) for split in SPLIT_NAMES}
        row |= dict(pool.map(run, calls))
    return row | judge(row)


def score_linear(folder: Path) -> dict[str, float | None]:
    """Score the linear baseline on the test pictures, with the ends of the 95 % interval."""
    prepared = load_prepared(folder)
    info = prepared.info
    splits = {name: prepared.subset(load_split(folder / "split", name)) for name in SPLIT_NAMES}
    outputs, _ = EVALUATION[info.task].predict_baselines(info, splits, SEED)["linear"]
    metrics = EVALUATION[info.task].measure(tabulate_predictions(splits["test"], outputs, info), info, SEED)
    figure = FIGURES[info.task]
    return {"test": metrics[figure], "low": metrics[f"{figure}_low"], "high": metrics[f"{figure}_high"]}


def train_seeds(name: str, folder: Path, seeds: int) -> Iterator[dict[str, float | None]]:
    """Train a recipe as the stage `train` does, and score it as `evaluate` does, once for each seed.

    Args:
        name: the recipe's.
        folder: holds the prepared dataset and its split.
        seeds: how many.

    Yields:
        Seconds of the training, and the figures of the validation and the test pictures.
    """
    # first, since it chooses how Keras starts
    from image_recipes.evaluation.inference import predict
    from image_recipes.models.backend import keras
    from image_recipes.models.recipe import load_recipe
    from image_recipes.training.fit import train_recipe

    prepared = load_prepared(folder)
    info = prepared.info
    splits = {split: prepared.subset(load_split(folder / "split", split)) for split in SPLIT_NAMES}
    learned_from = {split: splits[split] for split in ("train", "validation")}
    for seed in range(seeds):
        started = time.perf_counter()
        model = train_recipe(load_recipe(name), info, learned_from, seed).model
        run: dict[str, float | None] = {"seconds": time.perf_counter() - started}
        for split in ("validation", "test"):
            predictions = tabulate_predictions(splits[split], predict(model, splits[split]), info)
            run[split] = EVALUATION[info.task].score(predictions)[FIGURES[info.task]]
        yield run
        keras.backend.clear_session()


def judge(row: dict[str, Any]) -> dict[str, Any]:
    """Choose a recipe by validation, and judge it by the test pictures."""
    chosen = max((name for name in RECIPES if name in row), key=lambda name: _mean(row[name], "validation"))
    test = _mean(row[chosen], "test")
    return {
        "chosen": chosen,
        "reaches_linear": test >= row["linear"]["low"],
        "reaches_plain": test >= _mean(row["plain"], "test") - TOLERANCE,
    }


def _mean(runs: list[dict[str, float]], split: str) -> float:
    return statistics.mean(run[split] for run in runs)


def find_short(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Say of each task where the chosen recipe falls short, of what."""
    for row in rows:
        if "skipped" in row:
            continue
        figure = f"{row['task']}: {row['chosen']} reaches {_mean(row[row['chosen']], 'test'):.3f} on the test pictures"
        if not row["reaches_linear"]:
            yield f"{figure}, less than the linear model's {row['linear']['low']:.3f} to {row['linear']['high']:.3f}"
        if not row["reaches_plain"]:
            yield f"{figure}, more than {TOLERANCE} below plain Keras's {_mean(row['plain'], 'test'):.3f}"


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Set the test figures of all side by side, as texts: accuracy of classes, R2 of numbers."""
    lines = []
    for row in rows:
        if "skipped" in row:
            lines.append({"task": row["task"], "pictures": f"left out: {row['skipped']}"})
            continue
        linear = row["linear"]
        short = [words for words in ("linear", "plain") if not row[f"reaches_{words}"]]
        lines.append(
            {
                "task": row["task"],
                "pictures": ", ".join(str(row["pictures"][split]) for split in SPLIT_NAMES),
                "kind": row["kind"],
                "linear": f"{linear['test']:.3f} ({linear['low']:.3f} to {linear['high']:.3f})",
                "plain Keras": _show(row["plain"]),
                **{name: _show(row[name]) for name in RECIPES if name in row},
                "chosen": row["chosen"],
                "verdict": f"below {' and '.join(short)}" if short else "good",
            }
        )
    return pd.DataFrame(lines).fillna("-")


def _show(runs: list[dict[str, float]]) -> str:
    tests = [run["test"] for run in runs]
    # the first training computes what the others find
    return f"{statistics.mean(tests):.3f} ({min(tests):.3f}-{max(tests):.3f}), {runs[0]['seconds']:.0f} s"


if __name__ == "__main__":
    exit_on_user_error(main)
