"""The metrics of a recipe: one flat JSON file, the same keys for the same task."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from image_recipes.errors import UserError
from image_recipes.files import write_text

Metrics = Mapping[str, float | None]


def named(split: str, metrics: Metrics) -> dict[str, float | None]:
    """Put a split's prefix, such as `test`, before the metrics' names."""
    return {f"{split}_{name}": value for name, value in metrics.items()}


def save_metrics(metrics: Metrics, file: Path) -> None:
    """Write metrics as JSON, sorted by name, whole or not at all.

    Args:
        metrics: numbers by name; None (JSON's null) for what is undefined.
        file: the file DVC shows by `dvc metrics show`.
    """
    write_text(json.dumps(metrics, indent=2, sort_keys=True, allow_nan=False) + "\n", file)


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
