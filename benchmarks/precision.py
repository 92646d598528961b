"""What mixed_bfloat16 gains in speed, and what it costs in accuracy, over several seeds."""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.contender import Laps, run_process
from benchmarks.machine import describe_machine
from benchmarks.pictures import prepare_for_benchmark
from benchmarks.results import save_rows, save_table
from image_recipes.core.running import exit_on_user_error

RECIPES = ("mnist_cnn", "mnist_deep_cnn")
PRECISIONS = ("float32", "mixed_bfloat16")
SEEDS = 5
# a third of the lectures', to end within the hour
EPOCHS = 10


def main() -> None:
    """Train with both precisions, in turn, and write benchmarks/results/precision.json and precision.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, two epochs")
    parser.add_argument("--one", nargs=5, metavar=("RECIPE", "PRECISION", "SEED", "EPOCHS", "FOLDER"))
    arguments = parser.parse_args()
    if arguments.one:
        recipe, precision, seed, epochs, folder = arguments.one
        print(json.dumps(run_one(recipe, precision, int(seed), int(epochs), Path(folder))))
        return
    seeds, epochs = (1, 2) if arguments.quick else (SEEDS, EPOCHS)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        prepare_for_benchmark("mnist", Path(folder))
        for recipe in RECIPES:
            for seed in range(seeds):
                for precision in PRECISIONS:
                    one = [recipe, precision, str(seed), str(epochs), folder]
                    row = {"recipe": recipe, "precision": precision, "seed": seed, "epochs": epochs}
                    rows.append(row | run_process("precision", "--one", *one) | {"machine": describe_machine()})
                    print(rows[-1], flush=True)
    name = "precision-quick" if arguments.quick else "precision"
    save_rows(rows, name)
    print(save_table(tabulate(rows), name))


def run_one(recipe: str, precision: str, seed: int, epochs: int, folder: Path) -> dict[str, Any]:
    """Train once, and score on the test pictures: to report, not to choose."""
    from benchmarks.ours import run_recipe
    from image_recipes.core.dataset import load_prepared, load_split
    from image_recipes.evaluation.by_task import score_task
    from image_recipes.evaluation.inference import predict
    from image_recipes.models.recipe import load_recipe
    from image_recipes.results.predictions import tabulate_predictions

    laps = Laps()
    model = run_recipe(load_recipe(recipe).with_settings(precision=precision), folder, epochs, seed, laps)
    prepared = load_prepared(folder)
    test = prepared.subset(load_split(folder / "split", "test"))
    predictions = tabulate_predictions(test, predict(model, test), prepared.info)
    return {
        "seconds_per_epoch": statistics.median(laps.seconds[1:]),
        "test_accuracy": score_task(prepared.info.task, predictions),
    }


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Set speed and accuracy of both precisions side by side, as texts."""
    lines = []
    for recipe in dict.fromkeys(row["recipe"] for row in rows):
        line = {"recipe": recipe}
        medians = {}
        for precision in PRECISIONS:
            runs = [row for row in rows if (row["recipe"], row["precision"]) == (recipe, precision)]
            accuracies = [row["test_accuracy"] for row in runs]
            spread = f" ± {statistics.stdev(accuracies):.4f}" if len(accuracies) > 1 else ""
            medians[precision] = statistics.median(row["seconds_per_epoch"] for row in runs)
            line[f"{precision}, s an epoch"] = f"{medians[precision]:.3g}"
            line[f"{precision}, test accuracy"] = f"{statistics.mean(accuracies):.4f}{spread}"
        line["times as fast"] = f"{medians['float32'] / medians['mixed_bfloat16']:.2f}"
        lines.append(line)
    return pd.DataFrame(lines)


if __name__ == "__main__":
    exit_on_user_error(main)
