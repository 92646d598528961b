"""Comparing the recipes of a dataset: beside what they have to beat, what was published, and each other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from image_recipes.errors import UserError, did_you_mean
from image_recipes.files import write_text, written_whole
from image_recipes.metrics import Metrics
from image_recipes.params import read_yaml
from image_recipes.uncertainty import correct_by_holm, mcnemar_test, paired_bootstrap_test

# in this order; each is followed by its published figure where a recipe has one
COLUMNS = {
    "classification": ["test_accuracy", "test_loss", "val_accuracy", "val_loss", "train_accuracy"],
    "regression": ["test_mse", "test_mae", "test_r2", "val_mse", "train_mse"],
}
DIGITS = {"accuracy": 4, "loss": 4, "mse": 1, "mae": 2, "r2": 4, "linear": 2, "difference": 1}
# before a baseline's name, where it stands beside recipes; no recipe can have such a name
BASELINE = "baseline: "
SIGNIFICANCE = 0.05
# the smallest p of a bootstrap, 2 / (resamples + 1), is to stay below 0.05 when it is corrected
MIN_RESAMPLES = 2_000
RESAMPLES_PER_PAIR = 100


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


def compare_pairs(
    task: str, predictions: Mapping[str, pd.DataFrame], pairs: Sequence[tuple[str, str]], seed: int
) -> pd.DataFrame:
    """Test for each pair whether one predicts the same pictures better.

    Classes by McNemar's exact test, numbers by a paired bootstrap of the squared error; p values
    are corrected by Holm for the number of pairs.

    Args:
        task: `classification` or `regression`.
        predictions: of recipes or baselines, by name.
        pairs: of their names.
        seed: of the bootstrap.

    Returns:
        Columns first, second, pictures, then for classes the numbers of pictures that
        only_first_right and only_second_right; for numbers difference (mse of the first less
        that of the second) with difference_low and difference_high; p, p_holm, better (its name,
        or empty), verdict.

    Raises:
        UserError: a pair's predictions are of different pictures.
    """
    rows: list[dict[str, Any]] = []
    resamples = max(MIN_RESAMPLES, RESAMPLES_PER_PAIR * len(pairs))
    for first, second in pairs:
        one, other = predictions[first], predictions[second]
        if not same_pictures(one, other):
            raise UserError(
                f"{first} and {second} cannot be compared: they were tested on different pictures "
                f"({len(one):,} and {len(other):,})"
            )
        row = {"first": first, "second": second, "pictures": len(one)}
        rows.append(row | PAIR_TESTS[task](one, other, resamples, seed))
    for row, p in zip(rows, correct_by_holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = float(f"{p:.4g}")
        favoured = row["first"] if row.pop("favours_first") else row["second"]
        row["better"] = favoured if p < SIGNIFICANCE else ""
        row["verdict"] = (
            f"{favoured} is better than {({row['first'], row['second']} - {favoured}).pop()}"
            if row["better"]
            else f"no evidence of a difference at n = {row['pictures']:,}"
        )
    return pd.DataFrame(rows)


def same_pictures(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Tell whether two tables of predictions are of the same pictures, as far as these tables say."""
    columns = ["index", "real"]
    return len(first) == len(second) and bool((first[columns].to_numpy() == second[columns].to_numpy()).all())


def _compare_classes(first: pd.DataFrame, second: pd.DataFrame, resamples: int, seed: int) -> dict[str, Any]:
    rights = [(table["real"] == table["predicted"]).to_numpy() for table in (first, second)]
    only_first, only_second = int((rights[0] & ~rights[1]).sum()), int((rights[1] & ~rights[0]).sum())
    return {
        "only_first_right": only_first,
        "only_second_right": only_second,
        "p": float(f"{mcnemar_test(*rights):.4g}"),
        "favours_first": only_first > only_second,
    }


def _compare_numbers(first: pd.DataFrame, second: pd.DataFrame, resamples: int, seed: int) -> dict[str, Any]:
    squares = [((table["predicted"] - table["real"]) ** 2).to_numpy(float) for table in (first, second)]
    differences = squares[0] - squares[1]
    p, interval = paired_bootstrap_test(differences, resamples, seed)
    low, high = interval or (None, None)
    return {
        "difference": float(f"{differences.mean():.7g}"),
        "difference_low": low and float(f"{low:.7g}"),
        "difference_high": high and float(f"{high:.7g}"),
        "p": float(f"{p:.4g}"),
        "favours_first": differences.mean() < 0,
    }


PAIR_TESTS: dict[str, Callable[[pd.DataFrame, pd.DataFrame, int, int], dict[str, Any]]] = {
    "classification": _compare_classes,
    "regression": _compare_numbers,
}


def choose_pairs(recipes: Sequence[str], baselines: Iterable[str]) -> list[tuple[str, str]]:
    """Choose what to compare: every recipe with every other, and with the baselines that tell something."""
    rivals = [BASELINE + name for name in baselines if name in ("linear", "best_possible")]
    return [*combinations(recipes, 2), *((recipe, rival) for recipe in recipes for rival in rivals)]


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
        return pd.read_csv(file, dtype={"parameters": "Int64"})
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
    if digits := DIGITS.get(column.rsplit("_", 1)[-1]):
        return f"{value:.{digits}f}"
    return f"{value:,}"
