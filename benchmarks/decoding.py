"""Decoding: pictures a second, ours and Keras's loader, and what reducing JPEGs while decoding costs in exactness."""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from image_recipes.core.running import exit_on_user_error
from image_recipes.data.decode import Region, Shape, decode
from image_recipes.data.decode_pool import decode_all

# different pictures, and how often each lies there
PICTURES, TIMES, ROUNDS = 2_000, 5, 5
WIDTH, HEIGHT, SIDE = 640, 480, 96
SHAPE = Shape(SIDE, SIDE, 3, "stretch", Region(left=0, top=0, right=1, bottom=1))
# of those whose reduced and full decoding are compared
COMPARED = 200


def main() -> None:
    """Decode JPEGs by both, in turn, and write benchmarks/results/decoding.json and decoding.md."""
    # here, since the processes that decode import this module again
    import pandas as pd

    from benchmarks.contender import run_process
    from benchmarks.machine import describe_machine
    from benchmarks.results import save_rows, save_table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("CONTENDER", "FOLDER"), help="run this one here")
    arguments = parser.parse_args()
    if arguments.one:
        contender, folder = arguments.one
        print(json.dumps({"pictures_per_second": CONTENDERS[contender](Path(folder))}))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_jpegs(Path(folder))
        rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        for _ in range(ROUNDS):
            for name, found in rates.items():
                found.append(run_process("decoding", "--one", name, folder)["pictures_per_second"])
        errors = compare_decoding(sorted(Path(folder).rglob("*.jpg"))[:COMPARED])
    rows: list[dict[str, Any]] = [
        {
            "contender": name,
            "pictures_per_second": {"median": statistics.median(found), "min": min(found), "max": max(found)},
            "machine": describe_machine(),
        }
        for name, found in rates.items()
    ]
    save_rows([*rows, {"contender": "ours", "error_of_reduced_decoding": errors}], "decoding")
    ours = rows[0]["pictures_per_second"]["median"]
    lines = [
        {
            "contender": row["contender"],
            "pictures a second": "{median:,.0f} ({min:,.0f}-{max:,.0f})".format(**row["pictures_per_second"]),
            "times ours": f"{row['pictures_per_second']['median'] / ours:.2f}",
        }
        for row in rows
    ]
    print(save_table(pd.DataFrame(lines), "decoding"))
    print(errors)


def make_jpegs(folder: Path) -> None:
    """Make pictures of two classes: blobs with a grain, about as large as a camera's."""
    random = np.random.default_rng(0)
    for number in range(PICTURES):
        small = Image.fromarray(random.integers(0, 256, (30, 40, 3), dtype=np.uint8))
        picture = np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)).astype(int)
        grain = random.normal(0, 6, picture.shape)
        file = folder / f"class {number % 2}" / f"{number:05}.jpg"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray((picture + grain).clip(0, 255).astype(np.uint8)).save(file, quality=85)
        for copy in range(1, TIMES):
            file.with_name(f"{number:05}-{copy}.jpg").hardlink_to(file)


def run_ours(folder: Path) -> float:
    """Decode by our workers, their start included."""
    files = sorted(folder.rglob("*.jpg"))
    started = time.perf_counter()
    count = sum(picture is not None for _, picture in decode_all(files, SHAPE, "decoding"))
    return count / (time.perf_counter() - started)


def run_keras(folder: Path) -> float:
    """Go once through Keras's loader, without antialiasing as it has it by default."""
    from image_recipes.models.backend import keras

    dataset = keras.utils.image_dataset_from_directory(folder, image_size=(SIDE, SIDE), shuffle=False, verbose=False)
    started = time.perf_counter()
    count = sum(len(labels) for _, labels in dataset)
    return count / (time.perf_counter() - started)


CONTENDERS = {"ours": run_ours, "keras": run_keras}


def compare_decoding(files: list[Path]) -> dict[str, float]:
    """Return by how many of 255 levels our pictures differ from those decoded in full and then resized."""
    differences = []
    for file in files:
        with Image.open(file) as image:
            full = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        differences.append(np.abs(decode(file.read_bytes(), SHAPE).picture.astype(int) - np.asarray(full)))
    return {"mean": round(float(np.mean(differences)), 2), "largest": int(np.max(differences))}


if __name__ == "__main__":
    exit_on_user_error(main)
