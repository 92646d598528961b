"""Figures of test predictions: how good, how sure, and for which pictures."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from image_recipes.inspection import calibrate, log_losses, probabilities
from image_recipes.metrics import Metrics
from image_recipes.uncertainty import bootstrap_intervals, wilson_interval

NUMBER_RANGES = 10


class Task(NamedTuple):
    """What is computed from the test predictions of a task.

    Attributes:
        measure: the metrics, from predictions, the classes' names, and a seed.
        break_down: a table with a row for each class, or for each range of numbers.
    """

    measure: Callable[[pd.DataFrame, list[str] | None, int], dict[str, float | None]]
    break_down: Callable[[pd.DataFrame, list[str] | None], pd.DataFrame]


def measure(task: str, predictions: pd.DataFrame, classes: list[str] | None, seed: int) -> Metrics:
    """Compute the metrics of test predictions, with the ends of their 95 % intervals.

    Args:
        task: `classification` or `regression`.
        predictions: as `predictions.tabulate_predictions` makes them.
        classes: the classes' names; None for regression.
        seed: of the bootstrap.

    Returns:
        By name, with 7 digits; None for what is undefined. Classification: accuracy with
        accuracy_low and accuracy_high (Wilson); loss (log-loss); macro_f1, the mean F1 of the
        classes; calibration_error (expected, over 15 bins of confidence); with two classes
        roc_auc. Regression: mse, rmse, mae, r2, each with `_low` and `_high` (bootstrap).
    """
    values = TASKS[task].measure(predictions, classes, seed)
    return {
        name: float(f"{value:.7g}") if value is not None and np.isfinite(value) else None
        for name, value in values.items()
    }


def _measure_classes(predictions: pd.DataFrame, classes: list[str] | None, seed: int) -> dict[str, float | None]:
    classes = classes or []
    right = (predictions["real"] == predictions["predicted"]).to_numpy()
    low, high = wilson_interval(int(right.sum()), len(right))
    bins = calibrate(predictions)
    shares = bins["pictures"] / len(predictions)
    metrics: dict[str, float | None] = {
        "accuracy": right.mean(),
        "accuracy_low": low,
        "accuracy_high": high,
        "loss": log_losses(predictions).mean(),
        "macro_f1": _break_down_classes(predictions, classes)["f1"].mean(),
        # of none or some pictures, after a network has diverged, it would look better than it is
        "calibration_error": float((shares * (bins["accuracy"] - bins["confidence"]).abs()).sum())
        if bins["pictures"].sum() == len(predictions)
        else None,
    }
    if len(classes) == 2:
        second = predictions["real"] == classes[1]
        scores = probabilities(predictions)[:, 1]
        defined = second.nunique() == 2 and np.isfinite(scores).all()
        metrics["roc_auc"] = roc_auc_score(second, scores) if defined else None
    return metrics


def _break_down_classes(predictions: pd.DataFrame, classes: list[str] | None) -> pd.DataFrame:
    precision, recall, f1, pictures = precision_recall_fscore_support(
        predictions["real"], predictions["predicted"], labels=classes, zero_division=np.nan
    )
    return pd.DataFrame({"class": classes, "pictures": pictures, "precision": precision, "recall": recall, "f1": f1})


def _measure_numbers(predictions: pd.DataFrame, classes: list[str] | None, seed: int) -> dict[str, float | None]:
    real = predictions["real"].to_numpy(float)
    predicted = predictions["predicted"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = _statistics(real, predicted)
    metrics: dict[str, float | None] = {}
    intervals = bootstrap_intervals(_statistics, [real, predicted], seed)
    for name, value, interval in zip(STATISTICS, values, intervals, strict=True):
        low, high = interval or (None, None)
        metrics |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return metrics


STATISTICS = ("mse", "rmse", "mae", "r2")


def _statistics(real: np.ndarray, predicted: np.ndarray, axis: int = -1) -> np.ndarray:
    errors = predicted - real
    mse = (errors**2).mean(axis)
    return np.stack([mse, np.sqrt(mse), np.abs(errors).mean(axis), 1 - mse / real.var(axis)])


def _break_down_numbers(predictions: pd.DataFrame, classes: list[str] | None) -> pd.DataFrame:
    real = predictions["real"].to_numpy(float)
    edges = np.linspace(real.min(), real.max(), NUMBER_RANGES + 1)
    number = np.clip(np.searchsorted(edges, real, side="right") - 1, 0, NUMBER_RANGES - 1)
    errors = predictions["predicted"].to_numpy(float) - real
    table = pd.DataFrame({"pictures": 1, "mse": errors**2, "mae": np.abs(errors), "bias": errors})
    table = table.groupby(number).agg({"pictures": "sum", "mse": "mean", "mae": "mean", "bias": "mean"})
    table.insert(0, "from", edges[table.index])
    table.insert(1, "to", edges[table.index + 1])
    return table.reset_index(drop=True)


def break_down(task: str, predictions: pd.DataFrame, classes: list[str] | None) -> pd.DataFrame:
    """Tell for which pictures predictions are good.

    Returns:
        Classification: class, pictures, precision, recall, f1; NaN where undefined, such as the
        precision of a class that was never predicted. Regression: ten ranges of equal width of
        the real number: from, to, pictures, mse, mae, bias (predicted less real, on average).
    """
    return TASKS[task].break_down(predictions, classes)


TASKS = {
    "classification": Task(_measure_classes, _break_down_classes),
    "regression": Task(_measure_numbers, _break_down_numbers),
}
