"""The metrics of a recipe: one flat JSON file, the same keys for the same task."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from image_recipes.files import write_text

Metrics = Mapping[str, float | None]


def save_metrics(metrics: Metrics, file: Path) -> None:
    """Write metrics as JSON, sorted by name, whole or not at all.

    Args:
        metrics: numbers by name; None (JSON's null) for what is undefined.
        file: the file DVC shows by `dvc metrics show`.
    """
    write_text(json.dumps(metrics, indent=2, sort_keys=True, allow_nan=False) + "\n", file)


def load_metrics(folder: Path, recipes: Iterable[str]) -> dict[str, Metrics]:
    """Load the metrics of the named recipes; files of other recipes are passed over."""
    return {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in recipes}
