"""The metrics of a recipe: one flat JSON file, the same keys for the same task."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from pathlib import Path

from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text
from image_recipes.core.loading import by_stage, check_names, load_json, loading
from image_recipes.core.tasks import Task
from image_recipes.results.by_task import RESULTS

Metrics = Mapping[str, float | None]
# before the names of metrics
SPLIT_PREFIXES = {"train": "train", "validation": "val", "test": "test"}
# what stands beside a metric of such a name
PARTNERS: Mapping[str, Callable[[str], str]] = {
    "_low": lambda name: name.removesuffix("_low") + "_high",
    "_high": lambda name: name.removesuffix("_high") + "_low",
    "fitted_": lambda name: name.replace("fitted_", "all_"),
}


def prefix_metrics(prefix: str, metrics: Metrics) -> dict[str, float | None]:
    """Put a split's prefix before the metrics' names.

    >>> prefix_metrics("val", {"accuracy": 0.98})
    {'val_accuracy': 0.98}
    """
    return {f"{prefix}_{name}": value for name, value in metrics.items()}


def save_metrics(metrics: Metrics, file: Path) -> None:
    """Write metrics as JSON, sorted by name, with seven digits, whole or not at all.

    Args:
        metrics: numbers by name; None, NaN or infinite for what is undefined: null in the file.
        file: the file DVC shows by `dvc metrics show`.
    """
    rounded = {name: _round(value) for name, value in metrics.items()}
    write_text(json.dumps(rounded, indent=2, sort_keys=True, allow_nan=False) + "\n", file)


def _round(value: float | None) -> float | None:
    if value is None or isinstance(value, Integral):
        return value
    return float(f"{value:.7g}") if math.isfinite(value) else None


def load_metrics(folder: Path, recipes: Iterable[str], task: Task) -> dict[str, Metrics]:
    """Load the metrics of the named recipes; files of other recipes are passed over.

    Raises:
        UserError: a file is missing, or does not hold the metrics of such a task.
    """
    wanted = [*RESULTS[task].metrics, f"val_{task.metric}"]
    return {name: _load(folder / f"{name}.json", f"evaluate@{name}", wanted) for name in recipes}


def load_baseline_metrics(folder: Path, task: Task) -> dict[str, Metrics]:
    """Load the metrics of a dataset's baselines, by name.

    Raises:
        UserError: there are none, or a file does not hold the metrics of such a task.
    """
    stage = f"baseline@{folder.name}"
    files = sorted(folder.glob("*.json"))
    if not files:
        raise UserError(f"{folder}: missing: make it by `dvc repro {stage}`")
    return {file.stem: _load(file, stage, RESULTS[task].metrics) for file in files}


def _load(file: Path, stage: str, wanted: Sequence[str]) -> Metrics:
    with loading(file, by_stage(stage)):
        metrics = load_json(file)
        for name, value in metrics.items():
            if value is not None and (isinstance(value, bool) or not math.isfinite(value)):
                raise ValueError(f"{name!r} is no number")
        check_names(metrics, [*wanted, *(PARTNERS[end](name) for name in metrics for end in PARTNERS if end in name)])
        return metrics
