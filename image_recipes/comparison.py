"""Comparing the recipes of a dataset: one table, with what they have to beat and what was published."""

import math
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import pandas as pd

from image_recipes.errors import UserError, did_you_mean
from image_recipes.files import write_text, written_whole
from image_recipes.metrics import Metrics
from image_recipes.params import read_yaml

# in this order; each is followed by its published figure where a recipe has one
COLUMNS = {
    "classification": ["test_accuracy", "test_loss", "val_accuracy", "val_loss", "train_accuracy"],
    "regression": ["test_mse", "test_mae", "test_r2", "val_mse", "train_mse"],
}
# behind the point, for figures that are about 1 at most; others have four digits in all
DIGITS = {"accuracy": 4, "loss": 4, "r2": 4, "linear": 2}
# before a baseline's name, where it stands beside recipes; no recipe can have such a name
BASELINE = "baseline: "


def load_published(file: Path) -> dict[str, dict[str, float]]:
    """Load the figures published for recipes, by recipe and metric.

    Raises:
        UserError: the file does not hold such figures.
    """
    published = read_yaml(file) or {}
    example = "such as `test_accuracy: 0.9756`"
    if not isinstance(published, dict):
        raise UserError(f"{file}: give a mapping of recipes to their metrics, {example}")
    known = {metric for columns in COLUMNS.values() for metric in columns}
    for recipe, figures in published.items():
        if not isinstance(figures, dict) or not all(isinstance(value, (int, float)) for value in figures.values()):
            raise UserError(f"{file}: {recipe}: give a mapping of metrics to numbers, {example}")
        for metric in figures:
            if metric not in known:
                raise UserError(f"{file}: {recipe}: no metric {metric!r}: {did_you_mean(metric, known)}")
    return published


def make_table(
    task: str,
    metrics: Mapping[str, Metrics],
    baselines: Mapping[str, Metrics],
    published: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """Make the table: a row for each recipe, in the order given, then the baselines, worst first.

    Args:
        task: `classification` or `regression`.
        metrics: by recipe and metric.
        baselines: by baseline and metric, with `linear` among them; the others of the test only.
        published: as metrics, as far as there are any.

    Returns:
        Columns recipe (a baseline is named `baseline: <name>`), parameters, then each metric of
        the task, `published_<metric>` behind one that was published for any of these recipes.
        Behind the first, `_low` and `_high`, the ends of its interval, and `error_to_linear`: the
        test error (1 - accuracy, or mse) as a multiple of that of the linear baseline.
    """
    rows = []
    linear = test_error(task, baselines["linear"])
    floors = sorted(baselines.items(), key=lambda item: test_error(task, item[1]) or 0, reverse=True)
    for recipe, values in [*metrics.items(), *((BASELINE + name, values) for name, values in floors)]:
        row: dict[str, Any] = {"recipe": recipe, "parameters": values.get("parameters")}
        for metric in COLUMNS[task]:
            row[metric] = values.get(metric)
            if metric == COLUMNS[task][0]:
                row |= {end: values.get(end) for end in (f"{metric}_low", f"{metric}_high")}
            if any(metric in published.get(name, {}) for name in metrics):
                row[f"published_{metric}"] = published.get(recipe, {}).get(metric)
            if metric == COLUMNS[task][0]:
                error = test_error(task, values)
                row["error_to_linear"] = error / linear if error is not None and linear else None
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.astype({"parameters": "Int64"})


def test_error(task: str, metrics: Metrics) -> float | None:
    """Return the error on the test pictures: 1 - accuracy, or mse."""
    value = metrics[COLUMNS[task][0]]
    return value if value is None or task == "regression" else 1 - value


def join_by_recipe(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Stack tables of several recipes, with a first column `recipe`."""
    return pd.concat(tables, names=["recipe"]).reset_index("recipe").reset_index(drop=True)


def save_table(table: pd.DataFrame, csv_file: Path) -> None:
    """Write a table as CSV, with seven digits, about those of float32."""
    with written_whole(csv_file) as partial:
        table.to_csv(partial, index=False, float_format="%.7g")


def load_table(file: Path, dataset: str) -> pd.DataFrame:
    """Read a table that `save_table` wrote for a dataset.

    Raises:
        UserError: the file is missing or is no table.
    """
    try:
        # the names of classes stay text, such as 007 or NA
        types: dict[str, Any] = {"recipe": str, "class": str, "better": str, "parameters": "Int64"}
        return pd.read_csv(file, dtype=types, keep_default_na=False, na_values=[""])
    except (OSError, ValueError):
        raise UserError(f"{file}: missing or damaged: make it by `dvc repro compare@{dataset}`") from None


def save_markdown(table: pd.DataFrame, file: Path) -> None:
    """Write a table as Markdown, rounded for reading, intervals behind their figures."""
    shown = pd.DataFrame(index=table.index)
    alignment = []
    for column in map(str, table):
        if column.endswith(("_low", "_high")):
            continue
        alignment.append("right" if pd.api.types.is_numeric_dtype(table[column]) else "left")
        cells = [format_value(column, value) for value in table[column]]
        name = column.replace("_", " ")
        if f"{column}_low" in table:
            name += " (95 % interval)"
            ends = zip(table[f"{column}_low"], table[f"{column}_high"], strict=True)
            cells = [
                cell if pd.isna(low) else f"{cell} ({format_value(column, low)} to {format_value(column, high)})"
                for cell, (low, high) in zip(cells, ends, strict=True)
            ]
        shown[name] = cells
    write_text(shown.to_markdown(index=False, disable_numparse=True, colalign=alignment) + "\n", file)


def format_value(column: str, value: Any) -> str:
    """Round a table's value for reading, by its column."""
    if pd.isna(value):
        return "-"
    if isinstance(value, str):
        return value
    if column in ("p", "p_holm"):
        return f"{value:.2g}"
    kind = column.removesuffix("_low").removesuffix("_high").rsplit("_", 1)[-1]
    if kind in DIGITS:
        return f"{value:.{DIGITS[kind]}f}"
    return f"{value:,}" if isinstance(value, Integral) else _significant(value)


def _significant(value: float) -> str:
    if value == 0 or not math.isfinite(value) or not 1e-3 <= abs(value) < 1e7:
        return f"{value:.4g}"
    return f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"
