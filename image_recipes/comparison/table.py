"""The recipes of a dataset in one table, with what they have to beat and what was published."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from image_recipes.comparison.by_task import COMPARISON
from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.tasks import Task
from image_recipes.core.yaml_file import read_yaml
from image_recipes.results.metrics import Metrics
from image_recipes.results.tables import BASELINE


def load_published(file: Path) -> dict[str, dict[str, float]]:
    """Load the figures published for recipes, by recipe and metric.

    Raises:
        UserError: the file does not hold such figures.
    """
    published = read_yaml(file) or {}
    example = "such as `test_accuracy: 0.9756`"
    if not isinstance(published, dict):
        raise UserError(f"{file}: give a mapping of recipes to their metrics, {example}")
    known = {metric for comparison in COMPARISON.values() for metric in comparison.table_columns}
    for recipe, figures in published.items():
        if not isinstance(figures, dict) or not all(isinstance(value, (int, float)) for value in figures.values()):
            raise UserError(f"{file}: {recipe}: give a mapping of metrics to numbers, {example}")
        for metric in figures:
            if metric not in known:
                raise UserError(f"{file}: {recipe}: no metric {metric!r}: {did_you_mean(metric, known)}")
    return published


def make_table(
    task: Task,
    metrics: Mapping[str, Metrics],
    baselines: Mapping[str, Metrics],
    published: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """Make the table: a row for each recipe, in the order given, then the baselines, worst first.

    Args:
        task: the dataset's.
        metrics: by recipe and metric.
        baselines: by baseline and metric, with `linear` among them; the others of the test only.
        published: as metrics, as far as there are any.

    Returns:
        Columns recipe (a baseline is named `baseline: <name>`), parameters, then each metric of
        the task, `published_<metric>` after one that was published for any of these recipes.
        After the first, `_low` and `_high`, the ends of its interval; `folds`, `folds_<metric>` and
        `folds_<metric>_std`, if a recipe was cross-validated; and `error_to_linear`: the test error
        (1 - accuracy, or mse) as a multiple of that of the linear baseline. Last, `fitted_to`,
        where a baseline has not learned from everything: from how much.
    """
    rows = []
    main = f"test_{task.metric}"
    linear = _test_error(task, baselines["linear"])
    floors = sorted(baselines.items(), key=lambda item: _test_error(task, item[1]) or 0, reverse=True)
    for recipe, values in [*metrics.items(), *((BASELINE + name, values) for name, values in floors)]:
        row: dict[str, Any] = {"recipe": recipe, "parameters": values.get("parameters")}
        for metric in COMPARISON[task].table_columns:
            row[metric] = values.get(metric)
            if metric == main:
                row |= {end: values.get(end) for end in (f"{metric}_low", f"{metric}_high")}
                row |= _folds(task, metrics, values)
            if any(metric in published.get(name, {}) for name in metrics):
                row[f"published_{metric}"] = published.get(recipe, {}).get(metric)
            if metric == main:
                error = _test_error(task, values)
                row["error_to_linear"] = error / linear if error is not None and linear else None
        if any(_tell_fitted(baseline) for baseline in baselines.values()):
            row["fitted_to"] = _tell_fitted(values)
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.astype({name: "Int64" for name in ("parameters", "folds") if name in table})


def _folds(task: Task, metrics: Mapping[str, Metrics], values: Metrics) -> dict[str, Any]:
    names = ("folds", f"folds_{task.metric}", f"folds_{task.metric}_std")
    return {name: values.get(name) for name in names} if any("folds" in known for known in metrics.values()) else {}


def _tell_fitted(metrics: Metrics) -> str | None:
    parts = [
        f"{metrics[f'fitted_{what}']:,} of {metrics[f'all_{what}']:,} {what}"
        for what in ("pictures", "features")
        if f"fitted_{what}" in metrics
    ]
    return ", ".join(parts) or None


def _test_error(task: Task, metrics: Metrics) -> float | None:
    value = metrics[f"test_{task.metric}"]
    return None if value is None else task.error(value)


def join_by_recipe(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Stack tables of several recipes, with a first column `recipe`."""
    return pd.concat(tables, names=["recipe"]).reset_index("recipe").reset_index(drop=True)
