"""Compare the time of an epoch with plain Keras, PyTorch and JAX on the same work.

The recipes are the lectures', and those that `image-recipes add` writes for a small task. Every
contender runs in processes of its own, one after the other, in several rounds.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, NamedTuple

from benchmarks.added import project_with
from benchmarks.contender import run_process
from benchmarks.machine import describe_machine, find_gpu
from benchmarks.pictures import prepare_for_benchmark
from benchmarks.results import RESULTS, draw_speed, save_rows, save_table, tabulate_speed
from image_recipes.commands.add_params import DEFAULT_WEIGHTS
from image_recipes.core.errors import UserError
from image_recipes.core.running import exit_on_user_error
from image_recipes.core.tasks import CLASSIFICATION, TASKS
from image_recipes.data.sources import load_dataset
from image_recipes.models.recipe import load_recipe

INSTALL_PEERS = "make bench-peers"
NO_SCAN_ON_CPU = "a scan makes convolutions on a CPU many times slower: nobody would use it there"


class Contender(NamedTuple):
    """A script, what it needs installed, and the environments that choose its variants: the fastest counts."""

    module: str
    package: str
    environments: tuple[dict[str, str], ...] = ({},)


CONTENDERS = {
    "ours": Contender("ours", "tensorflow"),
    "keras": Contender("keras_fit", "tensorflow", ({"KERAS_BACKEND": "tensorflow"},)),
    "keras-jax": Contender("keras_fit", "jax", ({"KERAS_BACKEND": "jax"},)),
    "pytorch": Contender("pytorch", "torch"),
    "jax": Contender("jax_step", "optax"),
    "jax-scan": Contender("jax_step", "optax", ({"SCAN": "1"},)),
}
# the network that `add` wrote, in plain Keras, which can augment in two places
SAME = Contender("keras_same", "tensorflow")
SAME_AUGMENTED = SAME._replace(environments=({"AUGMENT": "model"}, {"AUGMENT": "data"}))


class Size(NamedTuple):
    """How often and how long a recipe is trained.

    Attributes:
        rounds: processes of each contender.
        epochs: timed ones in each, behind one that warms up.
        tolerance: by how much a contender's validation figure may be worse than the best
            contender's: accuracy by a difference, MSE by a factor.
        quick_tolerance: the same after the few epochs of a quick run, when all still learn fast.
        without: contenders left out, and why.
        task: the small task that `add` has written the recipe for; None for the lectures'.
        keras: the contender of that name.
        ratio: what is compared: an epoch, or a whole training, of a recipe that computes ahead.
        needs: a file without which the recipe cannot be trained.
    """

    rounds: int
    epochs: int
    tolerance: float
    quick_tolerance: float
    without: dict[str, str]
    task: str | None = None
    keras: Contender = CONTENDERS["keras"]
    ratio: Literal["epoch", "training"] = "epoch"
    needs: Path | None = None


NO_SCAN = {} if find_gpu() else {"jax-scan": NO_SCAN_ON_CPU}
KERAS_ALONE = dict.fromkeys(
    ("keras-jax", "pytorch", "jax", "jax-scan"), "of the recipes that `add` writes there is no script for it"
)
# after two epochs on 10,000 pictures accuracies lay up to 0.042 apart
ACCURACY = (0.01, 0.06)
# a loss by Adam depends on the seed: over four of them and three contenders, the best of
# 151 epochs of dots_mlp lay between 75 and 101
MSE = (1.4, 2.0)
# of 90 validation pictures after a part of the epochs
FEW_PICTURES = (0.1, 0.1)
SIZES = {
    "mnist_mlp": Size(3, 3, *ACCURACY, {}),
    "mnist_cnn": Size(3, 3, *ACCURACY, NO_SCAN),
    "mnist_deep_cnn": Size(3, 1, *ACCURACY, NO_SCAN),
    "dots_mlp": Size(3, 150, *MSE, {}),
    "dots_cnn": Size(3, 150, *MSE, NO_SCAN),
    # their learning rates take more than 5 epochs to rise
    "leaf_kinds_cnn": Size(3, 19, *FEW_PICTURES, KERAS_ALONE, "leaf_kinds", SAME_AUGMENTED),
    "leaf_kinds_transfer": Size(3, 9, *FEW_PICTURES, KERAS_ALONE, "leaf_kinds", SAME, "training", DEFAULT_WEIGHTS),
}
GROUPS = {
    "speed": [name for name, size in SIZES.items() if not size.task],
    "speed_added": [name for name, size in SIZES.items() if size.task],
}
QUICK_PICTURES = 10_000
QUICK = {
    name: size._replace(rounds=1, epochs=min(size.epochs, 40), tolerance=size.quick_tolerance)
    for name, size in SIZES.items()
}


def main() -> None:
    """Run the comparison and write benchmarks/results/speed.json, speed.md and speed.png, and those of speed_added.

    Of each, once all its recipes have run, without findings.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help=f"{', '.join(SIZES)}; all if none is named")
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

    kind = "-quick" if arguments.quick else ""
    rows: list[dict[str, Any]] = []
    findings: list[str] = []
    for recipe in arguments.recipes or sizes:
        size = sizes[recipe]
        if size.needs and not size.needs.exists():
            findings.append(f"{recipe}: left out: {size.needs} is not there: image-recipes weights")
            continue
        reasons = left_out | size.without
        with project_with(size.task) if size.task else nullcontext():
            reports = _run_rounds(recipe, size, reasons, pictures)
            rows += make_rows(recipe, reports, reasons)
            findings += find_disagreements(recipe, size, reports)
        if not size.task:
            _add_share(rows, recipe, pictures)
        # after each, so that a run that is stopped leaves what it has found
        _save(rows, f"speed{kind}-part")
    for name, group in GROUPS.items():
        ours = [row for row in rows if row["recipe"] in group]
        if not findings and set(group) == {row["recipe"] for row in ours}:
            _save(ours, f"{name}{kind}")
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
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "prepared"
        prepare_for_benchmark(load_recipe(recipe).settings.dataset, folder, pictures)
        for number in range(size.rounds):
            # each round begins with another
            for name in names[number:] + names[:number]:
                contender = size.keras if name == "keras" else CONTENDERS[name]
                arguments = [recipe, str(folder), str(size.epochs + 1)]
                variants = [run_process(contender.module, *arguments, environment=e) for e in contender.environments]
                report = min(variants, key=lambda report: statistics.median(report["epoch_seconds"]))
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
    epochs, compared = load_recipe(recipe).settings.epochs, SIZES[recipe].ratio
    figures = {name: _times(runs, epochs) for name, runs in reports.items()}
    # round by round too, since what slows a machine down comes and goes
    rounds = {name: [_times([report], epochs)[compared] for report in runs] for name, runs in reports.items()}
    machine = describe_machine()
    for name in CONTENDERS:
        if name in reasons:
            yield {"recipe": recipe, "contender": name, "skipped": reasons[name], "machine": machine}
        if name not in reports:
            continue
        seconds, times = [s for report in reports[name] for s in report["epoch_seconds"]], figures[name]
        ratios = [theirs / ours for theirs, ours in zip(rounds[name], rounds["ours"], strict=True)]
        yield {
            "recipe": recipe,
            "contender": name,
            "seconds_per_epoch": {"median": times["epoch"], "min": min(seconds), "max": max(seconds)},
            "compared": compared,
            "ratio_to_ours": times[compared] / figures["ours"][compared],
            "ratio_spread": {"min": min(ratios), "max": max(ratios)},
            "epochs_timed": len(seconds),
            "load_seconds": times["load"],
            # what the first epoch takes longer than the others
            "compile_seconds": max(0.0, times["first"] - times["epoch"]),
            "training_seconds": times["training"],
            "validation": _learned(recipe, reports[name]),
            "peak_memory_mb": max(report["peak_memory_mb"] for report in reports[name]),
            "parameters": reports[name][0]["parameters"],
            "device": reports[name][0]["device"],
            "versions": reports[name][0]["versions"],
            "machine": machine,
        }


def _times(reports: list[dict[str, Any]], epochs: int) -> dict[str, float]:
    """Return the median seconds of loading, of the first epoch and of others, and of all the recipe's epochs."""
    load, first, fine_tuning = (
        statistics.median(report[key] for report in reports)
        for key in ("load_seconds", "first_epoch_seconds", "fine_tuning_seconds")
    )
    epoch = statistics.median(s for report in reports for s in report["epoch_seconds"])
    training = load + first + (epochs - 1) * epoch + fine_tuning
    return {"load": load, "first": first, "epoch": epoch, "training": training}


def _add_share(rows: list[dict[str, Any]], recipe: str, pictures: int | None) -> None:
    """Add to our row of a recipe what share of the machine's peak rate it reaches."""
    ours = next(row for row in rows if (row["recipe"], row["contender"]) == (recipe, "ours"))
    limit = run_process("limit", recipe, *([f"--training-pictures={pictures}"] if pictures else []))
    work = limit["recipes"][recipe]
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
