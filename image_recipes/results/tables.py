"""Tables of recipes as CSV and Markdown: read again, and rounded for reading."""

import math
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import pandas as pd

from image_recipes.core.files import write_text
from image_recipes.core.loading import Kind, by_stage, check_columns, loading
from image_recipes.core.loading import load_table as read_table

# before a baseline's name, where it stands beside recipes; no recipe can have such a name
BASELINE = "baseline: "
RECIPE_COLUMNS: Mapping[str, Kind] = {"recipe": "text"}
PAIR_COLUMNS: Mapping[str, Kind] = {
    **dict.fromkeys(("first", "second", "verdict"), "text"),
    "pictures": "count",
    **dict.fromkeys(("p", "p_holm"), "number"),
    # empty where neither is
    "better": "any",
}
TEXT_COLUMNS = ("first", "second", "verdict", "fitted_to")
# after the decimal point, for figures that are about 1 at most; others have four digits in all
DECIMALS = {"accuracy": 4, "loss": 4, "r2": 4, "linear": 2}


def load_table(file: Path, dataset: str, columns: Mapping[str, Kind] = RECIPE_COLUMNS) -> pd.DataFrame:
    """Read a table that the stage `compare` wrote for a dataset.

    Args:
        file: the table's.
        dataset: its name.
        columns: what the table must have.

    Raises:
        UserError: the file is missing or is no such table.
    """
    # the names of classes stay text, such as 007 or NA
    types: dict[str, Any] = {"recipe": str, "class": str, "better": str, "parameters": "Int64", "folds": "Int64"}
    with loading(file, by_stage(f"compare@{dataset}")):
        table = read_table(file, columns, dtype=types, na_values=[""])
        words = [name for name in table if name in (*types, *TEXT_COLUMNS)]
        return check_columns(table, dict.fromkeys(table.columns.drop(words), "number"))


def save_markdown(table: pd.DataFrame, file: Path) -> None:
    """Write a table as Markdown, rounded for reading, intervals and spreads after their figures."""
    shown = pd.DataFrame(index=table.index)
    alignment = []
    for column in map(str, table):
        if column.endswith(("_low", "_high", "_std")):
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
        if f"{column}_std" in table:
            name += " (mean \u00b1 standard deviation)"
            cells = [
                cell if pd.isna(spread) else f"{cell} \u00b1 {format_value(column, spread)}"
                for cell, spread in zip(cells, table[f"{column}_std"], strict=True)
            ]
        shown[name] = cells
    write_text(shown.to_markdown(index=False, disable_numparse=True, colalign=alignment) + "\n", file)


def format_value(column: str, value: Any) -> str:
    """Round a table's value for reading, by its column.

    >>> [format_value("test_accuracy", 0.98765), format_value("test_mse", 1234.567)]
    ['0.9877', '1,235']
    """
    if pd.isna(value):
        return "-"
    if isinstance(value, str):
        return value
    if column in ("p", "p_holm"):
        # an exact test's may be too small for a float
        return f"{value:.2g}" if value else "<1e-300"
    kind = column.removesuffix("_low").removesuffix("_high").removesuffix("_std").rsplit("_", 1)[-1]
    if kind in DECIMALS:
        return f"{value:.{DECIMALS[kind]}f}"
    return f"{value:,}" if isinstance(value, Integral) else _significant(value)


def _significant(value: float) -> str:
    if value == 0 or not math.isfinite(value) or not 1e-3 <= abs(value) < 1e7:
        return f"{value:.4g}"
    return f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"


def format_probability(value: float) -> str:
    r"""Round a probability to whole percents, before a blank that does not break; none but 1 and 0 become 100 and 0.

    >>> [format_probability(value) for value in (0.974, 0.9999, 0.0001, 1.0)]
    ['97\xa0%', '>99\xa0%', '<1\xa0%', '100\xa0%']
    """
    if pd.isna(value):
        return "-"
    if 0.995 <= value < 1:
        return ">99\u00a0%"
    return "<1\u00a0%" if 0 < value < 0.005 else f"{100 * value:.0f}\u00a0%"
