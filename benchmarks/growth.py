"""How time and memory grow with the number and the size of the pictures, held in memory or read from disk."""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from benchmarks.contender import Laps, measure_peak_memory, run_process
from benchmarks.machine import describe_machine
from benchmarks.results import save_rows, save_table
from image_recipes.core.errors import UserError
from image_recipes.core.running import exit_on_user_error

# pictures and their side in pixels, one channel
COUNTS = [(1_000, 28), (10_000, 28), (100_000, 28), (300_000, 28)]
SIDES = [(10_000, 64), (10_000, 128), (10_000, 224)]
QUICK = [(1_000, 28), (10_000, 28), (1_000, 64)]
# at 28 pixels many small pictures, at 224 few large ones
STREAMED = [(100_000, 28), (10_000, 224)]
EPOCHS = 3
# what a process needs beside its pictures, for the check beforehand
CONSTANT_BYTES = 2**31


def main() -> None:
    """Run each size in a process of its own and write benchmarks/results/growth.json and growth.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--one", nargs=3, metavar=("COUNT", "SIDE", "WAY"), help="run this one here, and print it")
    arguments = parser.parse_args()
    if arguments.one:
        count, side, way = arguments.one
        print(json.dumps(run_one(int(count), int(side), way)))
        return
    sizes = QUICK if arguments.quick else COUNTS + SIDES
    rows = []
    for count, side in sizes:
        for way in ["resident", "streamed"] if (count, side) in [*STREAMED, QUICK[-1]] else ["resident"]:
            row = _run(count, side, way)
            print(row, flush=True)
            rows.append(row)
    name = "growth-quick" if arguments.quick else "growth"
    save_rows(rows, name)
    print(save_table(tabulate(rows), name))
    hashes: dict[tuple[int, int], set[str]] = {}
    for row in rows:
        if "skipped" not in row:
            hashes.setdefault((row["pictures"], row["side"]), set()).add(row["weights_sha256"])
    if different := [size for size, found in hashes.items() if len(found) > 1]:
        raise UserError(f"resident and streamed training gave different weights: {different}")


def _run(count: int, side: int, way: str) -> dict[str, Any]:
    row = {"pictures": count, "side": side, "way": way, "machine": describe_machine()}
    needed, free = count * side**2 + CONSTANT_BYTES, psutil.virtual_memory().available
    if needed > free:
        return row | {"skipped": f"needs {needed / 2**30:.1f} GiB of memory, but {free / 2**30:.1f} are free"}
    environment = {"IMAGE_RECIPES_MEMORY_GIB": "1e6" if way == "resident" else "0"}
    return row | run_process("growth", "--one", str(count), str(side), way, environment=environment)


def run_one(count: int, side: int, way: str) -> dict[str, Any]:
    """Train a small CNN on synthetic pictures.

    Args:
        count: pictures to train on, and a tenth as many to validate on.
        side: their height and width in pixels.
        way: `resident` or `streamed`, which the environment has chosen; it is only checked.

    Returns:
        The seconds of each epoch, the peak memory and the bytes of the pictures, and a hash of the weights.
    """
    from benchmarks.ours import TimeEpochs
    from image_recipes.core.dataset import load_prepared
    from image_recipes.models.feeding import fits_in_memory
    from image_recipes.models.recipe import RANDOM, Layer, Recipe, RecipeSettings
    from image_recipes.training.fit import train_recipe

    layers = [
        Layer("Conv2D", {"filters": 16, "kernel_size": 3, "strides": 2, "activation": "relu"}),
        Layer("Conv2D", {"filters": 16, "kernel_size": 3, "strides": 2, "activation": "relu"}),
        Layer("GlobalAveragePooling2D", {}),
    ]
    settings = RecipeSettings.model_validate(
        {
            "dataset": "noise",
            "architecture": "small",
            "start_from": RANDOM,
            "epochs": EPOCHS + 1,
            "batch_size": 32,
            "precision": "float32",
            "jit_compile": "auto",
            "optimizer": {"name": "SGD", "learning_rate": 0.01},
        }
    )
    laps = Laps()
    with tempfile.TemporaryDirectory() as folder:
        validation_count = count // 10
        subprocess.run([sys.executable, "-c", MAKE, folder, str(count + validation_count), str(side)], check=True)
        prepared = load_prepared(Path(folder))
        training = prepared.subset(np.arange(count))
        validation = prepared.subset(np.arange(count, count + validation_count))
        assert fits_in_memory(training, validation) == (way == "resident")
        splits = {"train": training, "validation": validation}
        callbacks = [TimeEpochs(laps, prepared.info.task.progress_metric)]
        model = train_recipe(Recipe("noise", settings, layers), prepared.info, splits, 0, callbacks).model
    weights = hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest()
    return {
        "seconds_per_epoch": laps.seconds[1:],
        "picture_mb": (count + validation_count) * side**2 / 1e6,
        "peak_memory_mb": measure_peak_memory(),
        "weights_sha256": weights,
    }


# in a process of its own, so that its memory is not counted
MAKE = """
import sys
from pathlib import Path
import numpy as np
from image_recipes.core.dataset import DatasetInfo, save_prepared
from image_recipes.core.tasks import CLASSIFICATION
folder, count, side = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
random = np.random.default_rng(0)
images = random.integers(0, 256, (count, side, side, 1), dtype=np.uint8)
targets = random.integers(0, 10, count)
info = DatasetInfo(CLASSIFICATION, [str(n) for n in range(10)], None, [side, side, 1], {"train": count}, "noise")
save_prepared(images, targets, info, folder)
"""


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Set time and memory of every size side by side, as texts."""
    lines = []
    for row in rows:
        line = {"pictures": f"{row['pictures']:,}", "pixels": f"{row['side']} x {row['side']}", "held": row["way"]}
        if "skipped" in row:
            lines.append(line | {"s an epoch": row["skipped"]})
            continue
        seconds = float(np.median(row["seconds_per_epoch"]))
        lines.append(
            line
            | {
                "s an epoch": f"{seconds:.3g}",
                "µs a picture": f"{1e6 * seconds / row['pictures']:.0f}",
                "ns a pixel": f"{1e9 * seconds / row['pictures'] / row['side'] ** 2:.1f}",
                "pictures, MB": f"{row['picture_mb']:,.0f}",
                "peak memory, MB": f"{row['peak_memory_mb']:,.0f}",
                "the rest, MB": f"{row['peak_memory_mb'] - row['picture_mb']:,.0f}",
            }
        )
    return pd.DataFrame(lines).fillna("")


if __name__ == "__main__":
    exit_on_user_error(main)
