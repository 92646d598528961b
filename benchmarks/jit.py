"""What XLA gains or costs on each of the lectures' recipes: the ground for `jit_compile: auto`."""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.contender import SEED, Laps, run_process
from benchmarks.machine import describe_machine
from benchmarks.pictures import prepare_for_benchmark
from benchmarks.results import save_rows, save_table
from image_recipes.core.running import exit_on_user_error
from image_recipes.models.recipe import load_recipe

# XLA's convolutions are slow on a CPU, so not all of MNIST
PICTURES = 5_000
EPOCHS = {"mnist_mlp": 4, "mnist_cnn": 2, "mnist_deep_cnn": 2, "dots_mlp": 40, "dots_cnn": 10}


def main() -> None:
    """Train each recipe with and without XLA and write benchmarks/results/jit.json and jit.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("RECIPE", "JIT", "FOLDER"), help="run this one here")
    arguments = parser.parse_args()
    if arguments.one:
        recipe, jit, folder = arguments.one
        print(json.dumps(run_one(recipe, jit == "true", Path(folder))))
        return
    rows = []
    for recipe in EPOCHS:
        with tempfile.TemporaryDirectory() as folder:
            prepare_for_benchmark(load_recipe(recipe).settings.dataset, Path(folder), PICTURES)
            for jit in ("false", "true"):
                row = {"recipe": recipe, "jit_compile": jit, "machine": describe_machine()}
                rows.append(row | run_process("jit", "--one", recipe, jit, folder))
                print(rows[-1], flush=True)
    save_rows(rows, "jit")
    print(save_table(tabulate(rows), "jit"))


def run_one(name: str, jit: bool, folder: Path) -> dict[str, Any]:
    """Train a recipe, compiled by XLA or not; say what `auto` would choose."""
    from benchmarks.ours import run_recipe
    from image_recipes.training.steps import choose_execution

    laps = Laps()
    recipe = load_recipe(name)
    auto = choose_execution(recipe.layers, "auto").jit_compile
    run_recipe(recipe.with_settings(jit_compile=jit), folder, EPOCHS[name], SEED, laps)
    return {"seconds_per_epoch": statistics.median(laps.seconds[1:]), "auto": auto}


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Set both side by side, as texts."""
    lines = []
    for recipe in dict.fromkeys(row["recipe"] for row in rows):
        without, with_xla = (row["seconds_per_epoch"] for row in rows if row["recipe"] == recipe)
        auto = next(row["auto"] for row in rows if row["recipe"] == recipe)
        lines.append(
            {
                "recipe": recipe,
                "auto": "XLA" if auto else "no XLA",
                "without, s an epoch": f"{without:.3g}",
                "with XLA": f"{with_xla:.3g}",
                "with / without": f"{with_xla / without:.2f}",
            }
        )
    return pd.DataFrame(lines)


if __name__ == "__main__":
    exit_on_user_error(main)
