"""Measures of predictions: how good, how sure, for which pictures, and where they are worst."""

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from image_recipes.core.dataset import DatasetInfo
from image_recipes.evaluation.calibration import calibration_error
from image_recipes.evaluation.intervals import bootstrap_intervals, wilson_interval
from image_recipes.results.by_task import PROBABILITY
from image_recipes.results.confusion import count_confusions
from image_recipes.results.metrics import Metrics
from image_recipes.results.predictions import class_columns, probabilities

NUMBER_RANGES = 10
NUMBER_METRICS = ("mse", "rmse", "mae", "r2")


def score_classes(predictions: pd.DataFrame) -> Metrics:
    """Compute accuracy and loss, the log-loss.

    Args:
        predictions: as `results.predictions.tabulate_predictions` makes them, as for all functions here.
    """
    return {"accuracy": float(_is_right(predictions).mean()), "loss": float(_log_losses(predictions).mean())}


def score_numbers(predictions: pd.DataFrame) -> Metrics:
    """Compute mse, mae and r2."""
    values = dict(zip(NUMBER_METRICS, _number_metrics(*_real_and_predicted(predictions)).tolist(), strict=True))
    return {name: values[name] for name in ("mse", "mae", "r2")}


def measure_classes(predictions: pd.DataFrame, info: DatasetInfo, seed: int) -> Metrics:
    """Compute all metrics of classes, with the ends of the accuracy's 95 % interval (Wilson).

    Args:
        predictions: of the test pictures.
        info: the dataset's.
        seed: unused here.

    Returns:
        accuracy with accuracy_low and accuracy_high; loss; macro_f1, the mean F1 of the classes;
        calibration_error (expected, over 15 ranges of confidence); with two classes roc_auc.
    """
    right = _is_right(predictions)
    low, high = wilson_interval(int(right.sum()), len(right))
    metrics = {
        **score_classes(predictions),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": float(break_down_classes(predictions, info)["f1"].mean()),
        "calibration_error": calibration_error(predictions),
    }
    if len(info.class_names) == 2:
        metrics["roc_auc"] = _roc_auc(predictions, info)
    return metrics


def measure_numbers(predictions: pd.DataFrame, info: DatasetInfo, seed: int) -> Metrics:
    """Compute all metrics of numbers, each with the ends of its 95 % interval (bootstrap), `_low` and `_high`.

    Args:
        predictions: of the test pictures.
        info: the dataset's.
        seed: of the bootstrap.

    Returns:
        mse, rmse, mae, r2 and their ends; None for ends that are undefined.
    """
    samples = _real_and_predicted(predictions)
    metrics: dict[str, float | None] = {}
    intervals = bootstrap_intervals(_number_metrics, samples, seed)
    for name, value, interval in zip(NUMBER_METRICS, _number_metrics(*samples).tolist(), intervals, strict=True):
        low, high = interval or (None, None)
        metrics |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return metrics


def break_down_classes(predictions: pd.DataFrame, info: DatasetInfo) -> pd.DataFrame:
    """Tell for which classes predictions are good.

    Returns:
        Columns class, pictures, precision, recall, f1; NaN where undefined, such as the precision
        of a class that was never predicted.
    """
    precision, recall, f1, pictures = precision_recall_fscore_support(
        predictions["real"], predictions["predicted"], labels=info.class_names, zero_division=np.nan
    )
    return pd.DataFrame(
        {"class": info.class_names, "pictures": pictures, "precision": precision, "recall": recall, "f1": f1}
    )


def break_down_numbers(predictions: pd.DataFrame, info: DatasetInfo) -> pd.DataFrame:
    """Tell for which numbers predictions are good, over ten ranges of equal width.

    Returns:
        Columns from, to, pictures, mse, mae, bias (predicted less real, on average); NaN for a range
        without pictures.
    """
    real, predicted = _real_and_predicted(predictions)
    edges = _edges(real)
    number = _place(real, edges)
    errors = predicted - real
    table = pd.DataFrame({"pictures": 1, "mse": errors**2, "mae": np.abs(errors), "bias": errors})
    table = table.groupby(number).agg({"pictures": "sum", "mse": "mean", "mae": "mean", "bias": "mean"})
    table = table.reindex(range(NUMBER_RANGES))
    table["pictures"] = table["pictures"].fillna(0).astype(int)
    table.insert(0, "from", edges[:-1])
    table.insert(1, "to", edges[1:])
    return table


def count_class_confusions(predictions: pd.DataFrame, info: DatasetInfo) -> pd.DataFrame:
    """Count how often each class was taken for each, as `results.confusion.count_confusions`."""
    return count_confusions(predictions, info.class_names)


def count_number_confusions(predictions: pd.DataFrame, info: DatasetInfo) -> pd.DataFrame:
    """Count for how many pictures of a range of numbers one of a range was predicted.

    The ranges are those of `break_down_numbers`; a prediction outside of them counts in the nearest.

    Returns:
        Columns real_from, real_to, predicted_from, predicted_to, pictures, of ranges that occur, in
        their order; without predictions that are no numbers.
    """
    real, predicted = _real_and_predicted(predictions)
    edges = _edges(real)
    known = ~np.isnan(predicted)
    places = pd.DataFrame({"real": _place(real[known], edges), "predicted": _place(predicted[known], edges)})
    counts = places.groupby(["real", "predicted"]).size().reset_index(name="pictures")
    ends = {f"{name}_{end}": edges[counts[name] + (end == "to")] for name in places for end in ("from", "to")}
    return pd.DataFrame({**ends, "pictures": counts["pictures"]})


def rank_class_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rank the wrong predictions, worst first, by minus the logarithm of the real class's probability.

    Returns:
        Rows of predictions, with a column `loss`.
    """
    table = predictions.assign(loss=_log_losses(predictions))[~_is_right(predictions)]
    return table.sort_values("loss", ascending=False, kind="stable")


def rank_number_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rank all predictions, worst first, by their absolute error, in a column `loss`."""
    table = predictions.assign(loss=(predictions["predicted"] - predictions["real"]).abs())
    return table.sort_values("loss", ascending=False, kind="stable")


def _is_right(predictions: pd.DataFrame) -> np.ndarray:
    return (predictions["real"] == predictions["predicted"]).to_numpy()


def _log_losses(predictions: pd.DataFrame) -> np.ndarray:
    classes = {name: number for number, name in enumerate(class_columns(predictions))}
    places = (PROBABILITY + predictions["real"]).map(classes).to_numpy()
    chances = probabilities(predictions)[np.arange(len(predictions)), places].astype(float)
    return -np.log(np.maximum(chances, np.finfo(np.float32).tiny))


def _roc_auc(predictions: pd.DataFrame, info: DatasetInfo) -> float | None:
    second = predictions["real"] == info.class_names[1]
    scores = probabilities(predictions)[:, 1]
    defined = second.nunique() == 2 and np.isfinite(scores).all()
    return float(roc_auc_score(second, scores)) if defined else None


def _real_and_predicted(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return predictions["real"].to_numpy(float), predictions["predicted"].to_numpy(float)


def _edges(numbers: np.ndarray) -> np.ndarray:
    return np.linspace(numbers.min(), numbers.max(), NUMBER_RANGES + 1)


def _place(numbers: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, NUMBER_RANGES - 1)


def _number_metrics(real: np.ndarray, predicted: np.ndarray, axis: int = -1) -> np.ndarray:
    errors = predicted - real
    mse = (errors**2).mean(axis)
    # of numbers that are all the same, R2 is undefined
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack([mse, np.sqrt(mse), np.abs(errors).mean(axis), 1 - mse / real.var(axis)])
