"""Comparing the recipes of a dataset: one table, the published figures beside ours."""

from collections.abc import Mapping
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
DIGITS = {"accuracy": 4, "loss": 4, "mse": 1, "mae": 2, "r2": 4}


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


def join_histories(histories: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Stack the histories of several recipes, with a first column `recipe`."""
    return pd.concat(histories, names=["recipe"]).reset_index("recipe").reset_index(drop=True)


def make_table(task: str, metrics: Mapping[str, Metrics], published: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Make the table: a row for each recipe, in the order given.

    Args:
        task: `classification` or `regression`.
        metrics: by recipe and metric.
        published: the same, as far as there are any.

    Returns:
        Columns recipe, parameters, then each metric of the task; `published_<metric>`
        follows a metric that was published for any of these recipes.
    """
    rows = []
    for recipe, values in metrics.items():
        row: dict[str, Any] = {"recipe": recipe, "parameters": values["parameters"]}
        for metric in COLUMNS[task]:
            row[metric] = values[metric]
            if any(metric in published.get(name, {}) for name in metrics):
                row[f"published_{metric}"] = published.get(recipe, {}).get(metric)
        rows.append(row)
    return pd.DataFrame(rows)


def save_table(table: pd.DataFrame, csv_file: Path, markdown_file: Path) -> None:
    """Write the table as CSV with every digit, and as Markdown rounded for reading."""
    with written_whole(csv_file) as partial:
        table.to_csv(partial, index=False)
    shown = table.copy().astype(object)
    for column in shown.columns[1:]:
        shown[column] = [_format(column, value) for value in table[column]]
    shown.columns = [column.replace("_", " ") for column in shown.columns]
    text = shown.to_markdown(
        index=False, disable_numparse=True, colalign=["left"] + ["right"] * (len(shown.columns) - 1)
    )
    write_text(text + "\n", markdown_file)


def _format(column: str, value: Any) -> str:
    if pd.isna(value):
        return "-"
    if column == "parameters":
        return f"{value:,}"
    return f"{value:.{DIGITS[column.rsplit('_', 1)[-1]]}f}"
