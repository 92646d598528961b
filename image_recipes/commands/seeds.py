"""`image-recipes seeds`: how much of a recipe's figures is luck? It trains again with other seeds."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from image_recipes.checks import check_params
from image_recipes.commands.repro import prepare_pictures
from image_recipes.commands.search import describe_code
from image_recipes.core.dataset import load_info, load_split
from image_recipes.core.files import save_table
from image_recipes.core.locks import hold_lock
from image_recipes.core.params import load_seed, read_params
from image_recipes.core.tasks import Task
from image_recipes.figures.search import draw_seeds
from image_recipes.models.recipe import load_recipe
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.learning_curve import hash_inputs
from image_recipes.results.metrics import load_baseline_metrics
from image_recipes.results.searches import SEARCHES_FOLDER
from image_recipes.results.seeds import (
    load_seeds,
    seeds_file,
    seeds_plot,
    summarize_seeds,
)
from image_recipes.results.tables import format_value
from image_recipes.search.jobs import Outcome
from image_recipes.search.seeds import train_seeds
from image_recipes.search.workers import local_workers

# an interval of fewer is said to say little
FEW_SEEDS = 5
# of the baselines, no predictor can do better than this one
BEST_POSSIBLE = "best_possible"


def measure_seeds(name: str, count: int, jobs: int) -> None:
    """Train a recipe with several seeds, and write and print its figures over them.

    Args:
        name: the recipe's.
        count: of seeds, from that of params.yaml; those measured before for the same params and pictures count.
        jobs: trainings side by side.

    Raises:
        UserError: there is no such recipe, its pictures cannot be prepared, or a training failed.
    """
    check_params()
    recipe, params, first = load_recipe(name), read_params(), load_seed()
    dataset = recipe.settings.dataset
    prepare_pictures(dataset, "baseline")
    folder = Path("data/prepared") / dataset
    task = load_info(folder).task
    with hold_lock(f"seeds@{name}", f"training {name} with other seeds"):
        splits = {split: load_split(Path("data/split") / dataset, split) for split in ("train", "validation")}
        inputs = hash_inputs(params, name, hash_as_dvc(folder), splits)
        known = load_seeds(name, task.metric)
        table = pd.DataFrame() if known is None else known[known["inputs"] == inputs]
        if known is not None and table.empty:
            print(f"{name}: {len(known)} seeds measured before were for other params or pictures", file=sys.stderr)
        seeds = [seed for seed in range(first, first + count) if table.empty or seed not in set(table["seed"])]
        if len(seeds) < count:
            print(f"{name}: seeds measured before, for the same params and pictures: {len(table)}", file=sys.stderr)
        table = _train(name, params, seeds, jobs, table, {"inputs": inputs, "commit": describe_code()})
    # more than were asked for may lie there
    _tell(name, task, dataset, table)
    others = [other for other in params["recipes"] if params["recipes"][other]["dataset"] == dataset]
    _draw(task, dataset, {other: _hash_or_none(params, other, hash_as_dvc(folder), splits) for other in others})
    print(f"{seeds_file(name)}, {seeds_plot(dataset)}")


def _train(
    name: str, params: dict[str, Any], seeds: list[int], jobs: int, table: pd.DataFrame, notes: dict[str, str]
) -> pd.DataFrame:
    with (
        tqdm(total=len(seeds), desc=name, unit="seed", disable=None, dynamic_ncols=True) as bar,
        local_workers(min(jobs, len(seeds) or 1), SEARCHES_FOLDER / f"seeds_{name}") as workers,
    ):
        started = time.monotonic()
        rows = table

        def tell(seed: int, outcome: Outcome) -> None:
            nonlocal rows
            costs = {"parameters": outcome.parameters, "epochs": outcome.epochs, "seconds": round(outcome.seconds, 2)}
            row = {"seed": seed, **costs}
            new = pd.DataFrame([{**row, **dict(sorted(outcome.scores.items())), **notes}])
            rows = new if rows.empty else pd.concat([rows, new], ignore_index=True).sort_values("seed")
            # after every seed, so that one that is stopped takes no other with it
            save_table(rows, seeds_file(name))
            bar.update()
            if bar.disable:
                done = bar.n = bar.n + 1
                left = tqdm.format_interval((time.monotonic() - started) / done * (len(seeds) - done))
                print(f"{name}: seed {seed}: {_show(outcome)}, {left} left", file=sys.stderr, flush=True)

        train_seeds(name, params, seeds, workers, tell)
    return rows


def _show(outcome: Outcome) -> str:
    scores = {metric: value for metric, value in outcome.scores.items() if metric.startswith("test_")}
    return ", ".join(f"{metric}={format_value(metric, value)}" for metric, value in scores.items())


def _tell(name: str, task: Task, dataset: str, table: pd.DataFrame) -> None:
    summary = summarize_seeds(table)
    cells = pd.DataFrame({"metric": summary["metric"]})
    for column in ("mean", "std", "low", "high"):
        pairs = zip(summary["metric"], summary[column], strict=True)
        cells[column] = [format_value(metric, value) for metric, value in pairs]
    seconds = table["seconds"].mean()
    print(f"{name}: {len(table)} seeds, {seconds:.1f} s each; the mean, and the 95 % interval of it:")
    print(cells.to_string(index=False))
    if len(table) < FEW_SEEDS:
        print(f"{name}: so few seeds say little, and an interval may hold what no metric can be: --seeds 10 says more")
    floor = _find_floor(task, dataset)
    if floor is not None:
        excess = (table[f"test_{task.metric}"] - floor).mean()
        print(
            f"{name}: on the same test pictures the best possible predictor has {task.metric} {floor:.2f}: "
            f"{name} exceeds that by {excess:.3f} on average"
        )


def _hash_or_none(params: dict[str, Any], recipe: str, data_hash: str, splits: Mapping[str, np.ndarray]) -> str | None:
    try:
        return hash_inputs(params, recipe, data_hash, splits)
    except OSError:
        # the model that it starts from has not been trained
        return None


def _draw(task: Task, dataset: str, inputs: Mapping[str, str | None]) -> None:
    """Draw the seeds of a dataset's recipes, as far as they are of these params and pictures."""
    tables = {}
    for name in inputs:
        table = load_seeds(name, task.metric)
        if table is not None and (table["inputs"] == inputs[name]).all():
            tables[name] = table
    draw_seeds(tables, task.metric, _find_floor(task, dataset), seeds_plot(dataset))


def _find_floor(task: Task, dataset: str) -> float | None:
    baselines = load_baseline_metrics(Path("metrics/baseline") / dataset, task)
    return baselines[BEST_POSSIBLE][f"test_{task.metric}"] if BEST_POSSIBLE in baselines else None
