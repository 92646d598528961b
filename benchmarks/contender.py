"""What every contender of the speed comparison is given, and what it reports.

A contender is a script of its own process: `python -m benchmarks.<module> RECIPE FOLDER EPOCHS`.
Its last line is its report, in JSON; so is that of every process that a benchmark starts.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from image_recipes.core.dataset import load_prepared, load_split
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.models.recipe import load_recipe

ROOT = Path(__file__).resolve().parent.parent
SEED = 0


@dataclass(frozen=True)
class Work:
    """What is to be trained.

    Attributes:
        recipe: its name in params.yaml.
        folder: holds the prepared dataset and its split.
        epochs: how many; of a recipe with fine-tuning, before it.
        batch_size: pictures a step.
    """

    recipe: str
    folder: Path
    epochs: int
    batch_size: int

    @property
    def learning_rate(self) -> float:
        """The learning rate of SGD (classification) or Adam (regression), for the peers that are written for these."""
        optimizer = load_recipe(self.recipe).settings.optimizer
        assert optimizer.name == ("SGD" if self.classification else "Adam")
        assert isinstance(optimizer.learning_rate, float)
        return optimizer.learning_rate

    @property
    def classification(self) -> bool:
        """Tell whether the recipe predicts a class, or else a number."""
        return load_prepared(self.folder).info.task is CLASSIFICATION

    def load(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Load a split's pictures, uint8 (N, H, W, C), and targets (N,)."""
        pictures = load_prepared(self.folder).subset(load_split(self.folder / "split", split))
        return pictures.read(), pictures.targets


class Laps:
    """The time and the validation figure (accuracy or MSE) of every epoch, the first with compilation.

    What comes before the first epoch, imports aside, is loading, of the data and the model.
    """

    def __init__(self) -> None:
        self.created = self.lap_started = time.perf_counter()
        self.seconds: list[float] = []
        self.validation: list[float] = []

    def start(self) -> None:
        """Start the first epoch."""
        self.load_seconds = time.perf_counter() - self.created
        self.lap_started = time.perf_counter()

    def end_epoch(self, validation: float) -> None:
        """End an epoch, after its validation, and start the next."""
        now = time.perf_counter()
        self.seconds.append(now - self.lap_started)
        self.validation.append(float(validation))
        self.lap_started = now


def compete(train: Callable[[Work, Laps], tuple[int, str]], *packages: str) -> None:
    """Train as the command line says, and print the report.

    Args:
        train: loads the data, makes the model, starts the laps, and ends each; returns the
            model's number of parameters, and the device it was trained on: `cpu` or `gpu`.
        packages: whose versions are reported.
    """
    laps = Laps()
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("recipe")
    parser.add_argument("folder", type=Path)
    parser.add_argument("epochs", type=int)
    arguments = parser.parse_args()
    recipe = load_recipe(arguments.recipe).settings
    # the peers are written for this
    assert recipe.precision == "float32"
    work = Work(**vars(arguments), batch_size=recipe.batch_size)
    parameters, device = train(work, laps)
    report: dict[str, Any] = {
        "parameters": parameters,
        "device": device,
        "load_seconds": laps.load_seconds,
        "first_epoch_seconds": laps.seconds[0],
        "epoch_seconds": laps.seconds[1 : work.epochs],
        "fine_tuning_seconds": sum(laps.seconds[work.epochs :]),
        "validation": laps.validation,
        "peak_memory_mb": measure_peak_memory(),
        "versions": {package: version(package) for package in packages},
    }
    print(json.dumps(report))


def measure_peak_memory() -> float:
    """Return the most memory that this process has held so far, in MB."""
    # in KiB on Linux, in bytes on macOS
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def run_process(module: str, *arguments: str, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Run a module of the benchmarks in a process of its own, in the project that is the current folder.

    Returns:
        Its report.

    Raises:
        UserError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        # that of a small task has no benchmarks in it
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise UserError(f"{module} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
