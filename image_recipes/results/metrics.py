"""The metrics of a recipe: one flat JSON file, the same keys for the same task."""

import json
import math
from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path

from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text

Metrics = Mapping[str, float | None]


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


def load_metrics(folder: Path, recipes: Iterable[str]) -> dict[str, Metrics]:
    """Load the metrics of the named recipes; files of other recipes are passed over.

    Raises:
        UserError: a file is missing or is not JSON.
    """
    return {name: _load(folder / f"{name}.json", f"evaluate@{name}") for name in recipes}


def load_baseline_metrics(folder: Path) -> dict[str, Metrics]:
    """Load the metrics of a dataset's baselines, by name.

    Raises:
        UserError: there are none, or a file is not JSON.
    """
    stage = f"baseline@{folder.name}"
    files = sorted(folder.glob("*.json"))
    if not files:
        raise UserError(f"{folder}: missing: make it by `dvc repro {stage}`")
    return {file.stem: _load(file, stage) for file in files}


def _load(file: Path, stage: str) -> Metrics:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        raise UserError(f"{file}: missing or damaged: make it by `dvc repro {stage}`") from None
