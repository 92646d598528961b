"""How the time and the memory of each stage grow with the number of pictures, from `add` to `compare`."""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.contender import ROOT
from benchmarks.machine import describe_machine
from benchmarks.results import save_rows, save_table
from image_recipes.core.errors import UserError
from image_recipes.core.running import exit_on_user_error

COUNTS, QUICK = (1_000, 10_000, 100_000), (300, 1_000)
CLASSES, SIDE = 4, 64
DATASET, RECIPE = "pictures", "pictures_cnn"
EPOCHS = 3
# each by its script, so that DVC's own time is not in it
STAGES = {"prepare": DATASET, "split": DATASET, "baseline": DATASET, "train": RECIPE, "evaluate": RECIPE}
LAST_STAGES = {"plot": RECIPE, "compare": DATASET}


def main() -> None:
    """Run each number of pictures in a project of its own, and write benchmarks/results/stages.json and stages.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers only")
    parser.add_argument("--counts", nargs="+", type=int, metavar="N", help="these numbers of pictures")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for count in arguments.counts or (QUICK if arguments.quick else COUNTS):
        for row in measure(count):
            print(row, flush=True)
            rows.append(row)
    name = "stages-quick" if arguments.quick else "stages"
    save_rows(rows, name)
    print(save_table(tabulate(rows), name))


def measure(count: int) -> list[dict[str, Any]]:
    """Measure each stage in a new project with so many pictures.

    Raises:
        UserError: a stage fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        pictures, project = Path(folder) / "pictures", Path(folder) / "project"
        draw_pictures(pictures, count)
        command = [sys.executable, "-c", "from image_recipes.cli import main; main()"]
        _run([*command, "new", str(project)], ROOT)
        add = [*command, "add", str(pictures), "--name", DATASET]
        rows = [{"stage": "add", **_run(add, project)}, {"stage": "add again", **_run(add, project)}]
        params = project / "params.yaml"
        _shorten(params)
        _run([sys.executable, "-m", "stages.check"], project)
        for stage, name in {**STAGES, **LAST_STAGES}.items():
            rows.append({"stage": stage, **_run([sys.executable, "-m", f"stages.{stage}", name], project)})
        return [{"pictures": count, **row, "machine": describe_machine()} for row in rows]


def draw_pictures(folder: Path, count: int) -> None:
    """Write JPEG files of 64x64 in a folder for each class: blotches, whose tint depends on the class.

    Args:
        folder: to write into.
        count: of pictures.
    """
    tints = np.array([[200, 60, 60], [60, 160, 70], [70, 80, 200], [190, 180, 60]])
    for number in range(count):
        rng = np.random.default_rng(number)
        small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        blotches = np.asarray(Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BILINEAR), float)
        kind = number % CLASSES
        file = folder / f"class {kind}" / f"{number:06}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((0.8 * blotches + 0.2 * tints[kind]).astype(np.uint8)).save(file, quality=85)


def _shorten(params: Path) -> None:
    """Have the recipe train so many epochs for any number of pictures."""
    lines = params.read_text("utf-8").splitlines(keepends=True)
    epochs = [f"    epochs: {EPOCHS}\n" if line.startswith("    epochs:") else line for line in lines]
    params.write_text("".join(epochs), "utf-8")


def _run(command: list[str], folder: Path) -> dict[str, Any]:
    """Run a command, and return its CPU seconds and peak memory, with those of its own processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout
    said = process.stdout.read().decode("utf-8", "replace")
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise UserError(f"{' '.join(command[-3:])} failed: {said.strip().splitlines()[-1:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # kilobytes on Linux; the largest of the processes
    return {"cpu_seconds": round(seconds, 2), "peak_mib": round(used.ru_maxrss / 1024)}


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Set the numbers of pictures side by side: CPU seconds, and MiB of the largest process."""
    table = pd.DataFrame({"stage": list(dict.fromkeys(row["stage"] for row in rows))})
    for count in dict.fromkeys(row["pictures"] for row in rows):
        found = {row["stage"]: row for row in rows if row["pictures"] == count}
        table[f"{count:,} pictures"] = [
            f"{found[stage]['cpu_seconds']:.0f} s, {found[stage]['peak_mib']:,} MiB" for stage in table["stage"]
        ]
    return table


if __name__ == "__main__":
    exit_on_user_error(main)
