"""Where the whole run spends its time, stage by stage, in a fresh clone of what is committed."""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import pandas as pd

from benchmarks.contender import ROOT
from benchmarks.machine import describe_machine
from benchmarks.results import save_rows, save_table
from image_recipes.core.errors import UserError
from image_recipes.core.running import exit_on_user_error

RUNNING = "Running stage '"


def main() -> None:
    """Run the pipeline and write benchmarks/results/wall_clock.json and wall_clock.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="of dvc repro; everything if none is named")
    targets = parser.parse_args().targets
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
        rows = time_stages(Path(folder), targets)
    for row in rows:
        print(row, flush=True)
    if not targets:
        save_rows([row | {"machine": describe_machine()} for row in rows], "wall_clock")
        save_table(tabulate(rows), "wall_clock")


def time_stages(project: Path, targets: list[str]) -> list[dict[str, float | str]]:
    """Time `dvc repro` by the lines it prints: a stage lasts until the next one begins.

    Args:
        project: a clone without a cache.
        targets: of `dvc repro`.

    Returns:
        A row for each stage, in order, with what DVC does before the first one in front.

    Raises:
        UserError: a stage failed.
    """
    rows: list[dict[str, float | str]] = []
    stage, started = "dvc", time.perf_counter()
    with subprocess.Popen(
        ["dvc", "repro", *targets], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith(RUNNING):
                now = time.perf_counter()
                rows.append({"stage": stage, "seconds": now - started})
                stage, started = line.removeprefix(RUNNING).split("'")[0], now
    rows.append({"stage": stage, "seconds": time.perf_counter() - started})
    if process.returncode:
        raise UserError(f"dvc repro failed at {stage}")
    return rows


def tabulate(rows: list[dict[str, float | str]]) -> pd.DataFrame:
    """Sum the seconds of each kind of stage, as texts."""
    frame = pd.DataFrame(rows)
    frame["stage"] = frame["stage"].str.partition("@")[0]
    sums = frame.groupby("stage", sort=False)["seconds"].agg(["count", "sum", "max"])
    total = sums["sum"].sum()
    return pd.DataFrame(
        {
            "stage": [*sums.index, "all"],
            "times": [*map(str, sums["count"]), ""],
            "seconds": [*(f"{value:.1f}" for value in sums["sum"]), f"{total:.1f}"],
            "the longest": [*(f"{value:.1f}" for value in sums["max"]), ""],
            "share": [*(f"{value / total:.1%}" for value in sums["sum"]), ""],
        }
    )


if __name__ == "__main__":
    exit_on_user_error(main)
