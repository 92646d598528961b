"""Measure how many trials a minute a search makes, beside DVC's queue with the same trials.

Run it by `python -m benchmarks.searches`: 5 minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from benchmarks.contender import ROOT
from benchmarks.machine import describe_machine
from benchmarks.results import save_rows, save_table
from image_recipes.commands.search_apply import write_values
from image_recipes.core.yaml_file import read_yaml

FILTERS = "architectures.pool[0].Conv2D.filters"
TRIALS = [4, 8, 12, 16, 20, 24, 28, 32]
SEARCH = """
  benchmark:
    recipe: dots_pool
    metric: val_loss
    sampler: grid
    pruner: none
    trials: {trials}
    seeds: 1
    space:
      {filters}: {values}
"""


def make_clone(folder: Path, epochs: int) -> None:
    """Clone the project, with a grid and so many epochs, and prepare its pictures."""
    subprocess.run(["git", "clone", "--quiet", ROOT, str(folder)], check=True)
    params = folder / "params.yaml"
    text = write_values(params.read_text("utf-8"), {"recipes.dots_pool.epochs": epochs})
    if "searches" not in read_yaml(params):
        text += "searches:"
    params.write_text(text + SEARCH.format(trials=len(TRIALS), filters=FILTERS, values=TRIALS), "utf-8")
    run(folder, "dvc", "repro", "split@dots")
    run(folder, "git", "commit", "--quiet", "--all", "--message", "Benchmark")


def run(folder: Path, *words: str) -> float:
    """Run a command in a clone, and return how long it took."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    started = time.monotonic()
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - started


def time_search(folder: Path, jobs: int) -> tuple[float, float]:
    """Return the seconds of the search, and of its trainings."""
    seconds = run(folder, "image-recipes", "search", "benchmark", "--restart", "--jobs", str(jobs))
    table = pd.read_csv(folder / "metrics/searches/benchmark.csv")
    assert (table["state"] == "finished").all()
    return seconds, float(table["seconds"].sum())


def time_queue(folder: Path, jobs: int) -> float:
    """Return the seconds of DVC's queue with the same trials, each of them trained and no more."""
    values = ",".join(map(str, TRIALS))
    path = FILTERS.replace("[0]", ".0")
    seconds = run(folder, "dvc", "exp", "run", "--queue", "-S", f"{path}={values}", "train@dots_pool")
    return seconds + run(folder, "dvc", "exp", "run", "--run-all", "--jobs", str(jobs))


def main() -> None:
    """Measure, and write benchmarks/results/searches.json and searches.md."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--epochs", type=int, default=100, help="of each trial")
    given = parser.parse_args()
    rows: list[dict[str, float | str]] = []
    for jobs in (1, 2):
        # a cache of its own for each, or the second run would take its models from the first
        with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
            folder = Path(temporary) / "project"
            make_clone(folder, given.epochs)
            seconds, trainings = time_search(folder, jobs)
            queue = time_queue(folder, jobs)
        rows.append(
            {
                "jobs": jobs,
                "epochs": given.epochs,
                "search_trials_a_minute": 60 * len(TRIALS) / seconds,
                "queue_trials_a_minute": 60 * len(TRIALS) / queue,
                "ratio": queue / seconds,
                "search_seconds": seconds,
                "training_seconds": trainings,
            }
        )
        print(rows[-1], flush=True)
    save_rows([row | {"machine": describe_machine()} for row in rows], "searches")
    save_table(pd.DataFrame(rows).map(lambda value: f"{value:,.4g}"), "searches")


if __name__ == "__main__":
    main()
