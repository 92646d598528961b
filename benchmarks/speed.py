"""Compare the time of an epoch with plain Keras, PyTorch and JAX on the same work.

Every contender runs in processes of its own, one after the other, in several rounds.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.contender import run_process
from benchmarks.machine import describe_machine, find_gpu
from benchmarks.pictures import prepare_for_benchmark
from benchmarks.results import RESULTS, draw_speed, save_rows, save_table, tabulate_speed
from image_recipes.core.errors import UserError
from image_recipes.core.running import exit_on_user_error
from image_recipes.core.tasks import CLASSIFICATION, TASKS
from image_recipes.data.sources import load_dataset
from image_recipes.models.recipe import load_recipe

INSTALL_PEERS = "make bench-peers"
WITHOUT = "a scan makes convolutions on a CPU many times slower: nobody would use it there"


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
        quick_tolerance: the same after the few epochs of a quick run, when all still learn fast.
        without: contenders left out.
    """

    rounds: int
    epochs: int
    tolerance: float
    quick_tolerance: float
    without: tuple[str, ...] = ()


NO_SCAN = () if find_gpu() else ("jax-scan",)
# after two epochs on 10,000 pictures accuracies lay up to 0.042 apart
ACCURACY = (0.01, 0.06)
# a loss by Adam depends on the seed: over four of them and three contenders, the best of
# 151 epochs of dots_mlp lay between 75 and 101
MSE = (1.4, 2.0)
SIZES = {
    "mnist_mlp": Size(3, 3, *ACCURACY),
    "mnist_cnn": Size(3, 3, *ACCURACY, NO_SCAN),
    "mnist_deep_cnn": Size(3, 1, *ACCURACY, NO_SCAN),
    "dots_mlp": Size(3, 150, *MSE),
    "dots_cnn": Size(3, 150, *MSE, NO_SCAN),
}
QUICK_PICTURES = 10_000
QUICK = {
    name: size._replace(rounds=1, epochs=min(size.epochs, 40), tolerance=size.quick_tolerance)
    for name, size in SIZES.items()
}


def main() -> None:
    """Run the comparison and write benchmarks/results/speed.json, speed.md and speed.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="some of the lectures' five; all if none is named")
    parser.add_argument("--quick", action="store_true", help="one round on fewer pictures: a first impression")
    arguments = parser.parse_args()
    sizes, pictures = (QUICK, QUICK_PICTURES) if arguments.quick else (SIZES, None)
    if unknown := set(arguments.recipes) - set(sizes):
        raise UserError(f"{', '.join(sorted(unknown))}: not in the comparison: choose from {', '.join(sizes)}")
    left_out = {
        name: f"{contender.package} is not installed: {INSTALL_PEERS}"
        for name, contender in CONTENDERS.items()
        if not _installed(contender.package)
    }
    for name, reason in left_out.items():
        print(f"{name}: left out: {reason}", flush=True)

    name = "speed" + ("-quick" if arguments.quick else "")
    rows: list[dict[str, Any]] = []
    findings: list[str] = []
    for recipe in arguments.recipes or sizes:
        reasons = dict.fromkeys(sizes[recipe].without, WITHOUT) | left_out
        reports = _run_rounds(recipe, sizes[recipe], reasons, pictures)
        new = list(make_rows(recipe, reports, reasons))
        _add_share(new, pictures)
        rows += new
        findings += find_disagreements(recipe, sizes[recipe], reports)
        # after each, so that a run that is stopped leaves what it has found
        _save(rows, f"{name}-part")
    if not arguments.recipes and not findings:
        _save(rows, name)
    print(tabulate_speed(rows, list(CONTENDERS)).to_string(index=False))
    if findings:
        raise UserError("\n".join(findings))


def _save(rows: list[dict[str, Any]], name: str) -> None:
    save_rows(rows, name)
    save_table(tabulate_speed(rows, list(CONTENDERS)), name)
    draw_speed(rows, list(CONTENDERS), RESULTS / f"{name}.png")


def _installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _run_rounds(
    recipe: str, size: Size, reasons: dict[str, str], pictures: int | None
) -> dict[str, list[dict[str, Any]]]:
    names = [name for name in CONTENDERS if name not in reasons]
    reports: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        prepare_for_benchmark(load_recipe(recipe).settings.dataset, Path(folder), pictures)
        for number in range(size.rounds):
            # each round begins with another
            for name in names[number:] + names[:number]:
                contender = CONTENDERS[name]
                arguments = [recipe, folder, str(size.epochs + 1)]
                report = run_process(contender.module, *arguments, environment=contender.environment)
                reports[name].append(report)
                print(
                    f"{recipe}, round {number + 1}/{size.rounds}, {name} on {report['device']}: "
                    f"{statistics.median(report['epoch_seconds']):.4g} s an epoch, "
                    f"validation {report['validation'][-1]:.4g}",
                    flush=True,
                )
    return reports


def make_rows(
    recipe: str, reports: dict[str, list[dict[str, Any]]], reasons: dict[str, str]
) -> Iterator[dict[str, Any]]:
    """Make a row for each contender, those left out included.

    Args:
        recipe: the recipe's name.
        reports: of each contender, one a round.
        reasons: why contenders are left out.
    """
    seconds = {name: [s for report in runs for s in report["epoch_seconds"]] for name, runs in reports.items()}
    # of the medians in each round, since what slows a machine down comes and goes
    medians = {name: [statistics.median(report["epoch_seconds"]) for report in runs] for name, runs in reports.items()}
    ratios = {
        name: [theirs / ours for theirs, ours in zip(runs, medians["ours"], strict=True)]
        for name, runs in medians.items()
    }
    machine = describe_machine()
    for name in CONTENDERS:
        if name in reasons:
            yield {"recipe": recipe, "contender": name, "skipped": reasons[name], "machine": machine}
        if name not in reports:
            continue
        median = statistics.median(seconds[name])
        load = statistics.median(report["load_seconds"] for report in reports[name])
        first = statistics.median(report["first_epoch_seconds"] for report in reports[name])
        yield {
            "recipe": recipe,
            "contender": name,
            "seconds_per_epoch": {"median": median, "min": min(seconds[name]), "max": max(seconds[name])},
            "ratio_to_ours": median / statistics.median(seconds["ours"]),
            "ratio_spread": {"min": min(ratios[name]), "max": max(ratios[name])},
            "epochs_timed": len(seconds[name]),
            "load_seconds": load,
            # what the first epoch takes longer than the others
            "compile_seconds": max(0.0, first - median),
            # of all the recipe's epochs
            "training_seconds": load + first + (load_recipe(recipe).settings.epochs - 1) * median,
            "validation": _learned(recipe, reports[name]),
            "peak_memory_mb": max(report["peak_memory_mb"] for report in reports[name]),
            "parameters": reports[name][0]["parameters"],
            "device": reports[name][0]["device"],
            "versions": reports[name][0]["versions"],
            "machine": machine,
        }


def _add_share(rows: list[dict[str, Any]], pictures: int | None) -> None:
    """Add to our row of a recipe what share of the machine's peak rate it reaches."""
    ours = next(row for row in rows if row["contender"] == "ours")
    limit = run_process("limit", ours["recipe"], *([f"--training-pictures={pictures}"] if pictures else []))
    work = limit["recipes"][ours["recipe"]]
    peak = limit["gflop_per_second"]["float32"][work["kind"]]
    share = work["gflop_per_epoch"] / ours["seconds_per_epoch"]["median"] / peak
    ours |= {**work, "peak_gflop_per_second": peak, "share_of_peak": share}


def _learned(recipe: str, reports: list[dict[str, Any]]) -> float:
    """Return the median over the rounds of the best validation figure: a loss by Adam jumps from epoch to epoch."""
    best = max if _is_accuracy(recipe) else min
    return statistics.median(best(report["validation"]) for report in reports)


def _is_accuracy(recipe: str) -> bool:
    return TASKS[load_dataset(load_recipe(recipe).settings.dataset).task] is CLASSIFICATION


def find_disagreements(recipe: str, size: Size, reports: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Name each contender that has learned less than the best, beyond the tolerance, or done other work."""
    figures = {name: _learned(recipe, runs) for name, runs in reports.items()}
    known = [figure for figure in figures.values() if figure == figure]
    limit = max(known) - size.tolerance if _is_accuracy(recipe) else min(known) * size.tolerance
    for name, figure in figures.items():
        learned = figure >= limit if _is_accuracy(recipe) else figure <= limit
        if not learned:
            yield f"{recipe}: {name} has not learned the same: validation {figure:.4g}, where {limit:.4g} is the limit"
        for key in ("parameters", "device"):
            if reports[name][0][key] != reports["ours"][0][key]:
                yield f"{recipe}: {name} has other {key}: {reports[name][0][key]}, not {reports['ours'][0][key]}"


if __name__ == "__main__":
    exit_on_user_error(main)
