"""Compare the time of an epoch with plain Keras, PyTorch and JAX on the same work.

Every contender runs in processes of its own, one after the other, in several rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import describe_machine
from benchmarks.pictures import prepare_dataset
from benchmarks.results import RESULTS, draw_speed, save_rows, save_table, tabulate_speed
from image_recipes.errors import UserError
from image_recipes.params import load_recipe
from image_recipes.stage import exit_on_user_error

INSTALL_PEERS = "make bench-peers"


class Contender(NamedTuple):
    """A script, what it needs installed, and the environment that chooses its variant."""

    module: str
    package: str
    environment: dict[str, str]


CONTENDERS = {
    "ours": Contender("ours", "tensorflow", {}),
    "keras": Contender("keras_fit", "tensorflow", {"KERAS_BACKEND": "tensorflow"}),
    "keras-jax": Contender("keras_fit", "jax", {"KERAS_BACKEND": "jax"}),
    "pytorch": Contender("pytorch", "torch", {}),
    "jax": Contender("jax_step", "optax", {}),
    "jax-scan": Contender("jax_step", "optax", {"SCAN": "1"}),
}


class Size(NamedTuple):
    """How often and how long a recipe is trained.

    Attributes:
        rounds: processes of each contender.
        epochs: timed ones in each, behind one that warms up.
        tolerance: by how much a contender's validation figure may be worse than the best
            contender's: accuracy by a difference, MSE by a factor.
        without: contenders left out.
    """

    rounds: int
    epochs: int
    tolerance: float
    without: tuple[str, ...] = ()


# a scan makes convolutions on a CPU many times slower: nobody would use it there
SIZES = {
    "mnist_mlp": Size(3, 3, 0.01),
    "mnist_cnn": Size(3, 1, 0.01, ("jax-scan",)),
    "mnist_deep_cnn": Size(3, 1, 0.01, ("jax-scan",)),
    "dots_mlp": Size(3, 150, 1.25),
    "dots_cnn": Size(3, 150, 1.25, ("jax-scan",)),
}
QUICK_PICTURES = 10_000
QUICK = {name: Size(1, min(size.epochs, 40), 3 * size.tolerance, size.without) for name, size in SIZES.items()}


def main() -> None:
    """Run the comparison and write benchmarks/results/speed.json, speed.md and speed.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="some of the lectures' five; all if none is named")
    parser.add_argument("--quick", action="store_true", help="one round on fewer pictures: a first impression")
    arguments = parser.parse_args()
    sizes, pictures = (QUICK, QUICK_PICTURES) if arguments.quick else (SIZES, None)
    if unknown := set(arguments.recipes) - set(sizes):
        raise UserError(f"{', '.join(sorted(unknown))}: not in the comparison: choose from {', '.join(sizes)}")
    missing = {name for name, contender in CONTENDERS.items() if not _installed(contender.package)}
    for name in sorted(missing):
        print(f"{name}: {CONTENDERS[name].package} is not installed, so it is left out: {INSTALL_PEERS}", flush=True)

    rows: list[dict[str, Any]] = []
    findings: list[str] = []
    for recipe in arguments.recipes or sizes:
        size = sizes[recipe]
        reports = _run_rounds(recipe, size, missing, pictures)
        rows += _rows(recipe, size, reports, missing)
        findings += _disagreements(recipe, size, reports)
    _add_shares(rows, pictures)
    name = "speed-quick" if arguments.quick else "speed"
    save_rows(rows, name)
    print(save_table(tabulate_speed(rows, list(CONTENDERS)), name))
    draw_speed(rows, list(CONTENDERS), RESULTS / f"{name}.png")
    if findings:
        raise UserError("\n".join(findings))


def _installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _run_rounds(recipe: str, size: Size, missing: set[str], pictures: int | None) -> dict[str, list[dict[str, Any]]]:
    names = [name for name in CONTENDERS if name not in missing and name not in size.without]
    reports: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        prepare_dataset(load_recipe(recipe).dataset, Path(folder), pictures)
        for number in range(size.rounds):
            for name in names:
                report = _run(name, recipe, Path(folder), size.epochs + 1)
                reports[name].append(report)
                seconds = statistics.median(report["epoch_seconds"])
                print(
                    f"{recipe}, round {number + 1}/{size.rounds}, {name}: {seconds:.4g} s an epoch, "
                    f"validation {min(report['validation'], key=abs):.4g} to {max(report['validation'], key=abs):.4g}",
                    flush=True,
                )
    return reports


def _run(name: str, recipe: str, folder: Path, epochs: int) -> dict[str, Any]:
    contender = CONTENDERS[name]
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{contender.module}", recipe, str(folder), str(epochs)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **contender.environment},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise UserError(f"{name} on {recipe} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _rows(
    recipe: str, size: Size, reports: dict[str, list[dict[str, Any]]], missing: set[str]
) -> Iterator[dict[str, Any]]:
    seconds = {name: [s for report in runs for s in report["epoch_seconds"]] for name, runs in reports.items()}
    # of the medians in each round, since what slows a machine down comes and goes
    medians = {name: [statistics.median(report["epoch_seconds"]) for report in runs] for name, runs in reports.items()}
    ratios = {
        name: [theirs / ours for theirs, ours in zip(runs, medians["ours"], strict=True)]
        for name, runs in medians.items()
    }
    machine = describe_machine()
    for name in CONTENDERS:
        if name in missing:
            yield {
                "recipe": recipe,
                "contender": name,
                "skipped": f"not installed: {INSTALL_PEERS}",
                "machine": machine,
            }
        if name not in reports:
            continue
        first = [report["first_epoch_seconds"] for report in reports[name]]
        median = statistics.median(seconds[name])
        yield {
            "recipe": recipe,
            "contender": name,
            "seconds_per_epoch": {"median": median, "min": min(seconds[name]), "max": max(seconds[name])},
            "ratio_to_ours": median / statistics.median(seconds["ours"]),
            "ratio_spread": {"min": min(ratios[name]), "max": max(ratios[name])},
            "epochs_timed": len(seconds[name]),
            "load_seconds": statistics.median(report["load_seconds"] for report in reports[name]),
            # what the first epoch takes longer than the others
            "compile_seconds": max(0.0, statistics.median(first) - median),
            "validation": _learned(recipe, reports[name]),
            "peak_memory_mb": max(report["peak_memory_mb"] for report in reports[name]),
            "versions": reports[name][0]["versions"],
            "machine": machine,
        }


def _add_shares(rows: list[dict[str, Any]], pictures: int | None) -> None:
    """Add to our rows what share of the machine's peak rate they reach."""
    recipes = list(dict.fromkeys(row["recipe"] for row in rows))
    command = [sys.executable, "-m", "benchmarks.limit", *recipes]
    command += [f"--training-pictures={pictures}"] if pictures else []
    limit = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    for row in rows:
        if row["contender"] == "ours":
            work = limit["recipes"][row["recipe"]]
            peak = limit["gflop_per_second"]["float32"][work["kind"]]
            row |= work
            row["peak_gflop_per_second"] = peak
            row["share_of_peak"] = work["gflop_per_epoch"] / row["seconds_per_epoch"]["median"] / peak


def _classification(recipe: str) -> bool:
    return load_recipe(recipe).dataset == "mnist"


def _learned(recipe: str, reports: list[dict[str, Any]]) -> float:
    """Return the median over the rounds of the best validation figure: a loss by Adam jumps from epoch to epoch."""
    best = max if _classification(recipe) else min
    return statistics.median(best(report["validation"]) for report in reports)


def _disagreements(recipe: str, size: Size, reports: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    figures = {name: _learned(recipe, runs) for name, runs in reports.items()}
    for name, figure in figures.items():
        if _classification(recipe):
            best = max(figures.values())
            limit = best - size.tolerance
            worse = figure < limit
        else:
            best = min(figures.values())
            limit = best * size.tolerance
            worse = figure > limit
        if worse or figure != figure:
            yield f"{recipe}: {name} has not learned the same: validation {figure:.4g}, where {limit:.4g} is the limit"


if __name__ == "__main__":
    exit_on_user_error(main)
