"""Figures of a recipe's test predictions: how good, how sure, for which pictures, and the worst ones."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from image_recipes.metrics import Metrics
from image_recipes.predictions import PROBABILITY
from image_recipes.uncertainty import bootstrap_interval, wilson_interval

# of equal width, as of Guo et al. (2017), "On Calibration of Modern Neural Networks"
CALIBRATION_BINS = 15
NUMBER_RANGES = 10


class Task(NamedTuple):
    """What is computed from the test predictions of a task.

    Attributes:
        measure: the metrics, from predictions, the classes' names, and a seed.
        break_down: a table with a row for each class, or for each range of numbers.
        losses: a loss for each picture, by which errors are ranked.
    """

    measure: Callable[[pd.DataFrame, list[str] | None, int], dict[str, float | None]]
    break_down: Callable[[pd.DataFrame, list[str] | None], pd.DataFrame]
    losses: Callable[[pd.DataFrame], np.ndarray]


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
        "loss": _class_losses(predictions).mean(),
        "macro_f1": _break_down_classes(predictions, classes)["f1"].mean(),
        "calibration_error": float((shares * (bins["accuracy"] - bins["confidence"]).abs()).sum()),
    }
    if len(classes) == 2:
        second = predictions["real"] == classes[1]
        scores = _probabilities(predictions)[:, 1]
        defined = second.nunique() == 2 and np.isfinite(scores).all()
        metrics["roc_auc"] = roc_auc_score(second, scores) if defined else None
    return metrics


def _probabilities(predictions: pd.DataFrame) -> np.ndarray:
    return predictions.filter(regex=f"^{PROBABILITY}").to_numpy()


def calibrate(predictions: pd.DataFrame) -> pd.DataFrame:
    """Set the share of right predictions beside the confidence, for each range of confidence.

    Args:
        predictions: of classes; the confidence is the largest probability.

    Returns:
        Columns confidence (its mean), accuracy, pictures; a row for each of 15 ranges of
        equal width that holds any picture.
    """
    confidence = _probabilities(predictions).max(axis=1)
    right = (predictions["real"] == predictions["predicted"]).to_numpy()
    table = pd.DataFrame({"confidence": confidence, "accuracy": right.astype(float), "pictures": 1})
    # a network that has diverged predicts no numbers
    table = table[np.isfinite(confidence)]
    number = np.minimum((table["confidence"] * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return (
        table.groupby(number).agg({"confidence": "mean", "accuracy": "mean", "pictures": "sum"}).reset_index(drop=True)
    )


def _break_down_classes(predictions: pd.DataFrame, classes: list[str] | None) -> pd.DataFrame:
    precision, recall, f1, pictures = precision_recall_fscore_support(
        predictions["real"], predictions["predicted"], labels=classes, zero_division=np.nan
    )
    return pd.DataFrame({"class": classes, "pictures": pictures, "precision": precision, "recall": recall, "f1": f1})


def _measure_numbers(predictions: pd.DataFrame, classes: list[str] | None, seed: int) -> dict[str, float | None]:
    real = predictions["real"].to_numpy(float)
    predicted = predictions["predicted"].to_numpy(float)
    metrics: dict[str, float | None] = {}
    for name, statistic in STATISTICS.items():
        low, high = bootstrap_interval(statistic, [real, predicted], seed) or (None, None)
        with np.errstate(divide="ignore", invalid="ignore"):
            metrics[name] = float(statistic(real, predicted))
        metrics |= {f"{name}_low": low, f"{name}_high": high}
    return metrics


def _mse(real: np.ndarray, predicted: np.ndarray, axis: int = -1) -> np.ndarray:
    return ((predicted - real) ** 2).mean(axis)


def _r2(real: np.ndarray, predicted: np.ndarray, axis: int = -1) -> np.ndarray:
    return 1 - _mse(real, predicted, axis) / real.var(axis)


STATISTICS: dict[str, Callable[..., np.ndarray]] = {
    "mse": _mse,
    "rmse": lambda real, predicted, axis=-1: np.sqrt(_mse(real, predicted, axis)),
    "mae": lambda real, predicted, axis=-1: np.abs(predicted - real).mean(axis),
    "r2": _r2,
}


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


def find_worst(task: str, predictions: pd.DataFrame, count: int) -> pd.DataFrame:
    """Find the errors with the largest loss, largest first.

    Returns:
        Rows of predictions, with a column `loss`: for classes minus the logarithm of the
        probability of the real class, of wrong predictions alone; for numbers the absolute error.
    """
    table = predictions.assign(loss=TASKS[task].losses(predictions))
    if task == "classification":
        table = table[table["real"] != table["predicted"]]
    return table.sort_values("loss", ascending=False, kind="stable").head(count)


def _class_losses(predictions: pd.DataFrame) -> np.ndarray:
    columns = {column: number for number, column in enumerate(predictions.columns)}
    places = predictions["real"].map(lambda name: columns[PROBABILITY + name]).to_numpy()
    chances = predictions.to_numpy()[np.arange(len(predictions)), places].astype(float)
    return -np.log(np.maximum(chances, np.finfo(np.float32).tiny))


TASKS = {
    "classification": Task(_measure_classes, _break_down_classes, _class_losses),
    "regression": Task(
        _measure_numbers,
        _break_down_numbers,
        lambda predictions: (predictions["predicted"] - predictions["real"]).abs().to_numpy(float),
    ),
}
