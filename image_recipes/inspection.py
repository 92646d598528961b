"""Looking into test predictions: the worst errors, and whether confidence is deserved."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from image_recipes.predictions import PROBABILITY

# of equal width, as of Guo et al. (2017), "On Calibration of Modern Neural Networks"
CALIBRATION_BINS = 15


def score(task: str, predictions: pd.DataFrame) -> float:
    """Return the accuracy, or the mean squared error."""
    if task == "classification":
        return float((predictions["real"] == predictions["predicted"]).mean())
    return float(((predictions["predicted"] - predictions["real"]) ** 2).mean())


def probabilities(predictions: pd.DataFrame) -> np.ndarray:
    """Return the probabilities of the classes, (N, classes)."""
    return predictions.filter(regex=f"^{PROBABILITY}").to_numpy()


def calibrate(predictions: pd.DataFrame) -> pd.DataFrame:
    """Set the share of right predictions beside the confidence, for each range of confidence.

    Args:
        predictions: of classes; the confidence is the largest probability.

    Returns:
        Columns confidence (its mean), accuracy, pictures; a row for each of 15 ranges of
        equal width that holds any picture.
    """
    confidence = probabilities(predictions).max(axis=1)
    right = (predictions["real"] == predictions["predicted"]).to_numpy()
    table = pd.DataFrame({"confidence": confidence, "accuracy": right.astype(float), "pictures": 1})
    # a network that has diverged predicts no numbers
    table = table[np.isfinite(confidence)]
    number = np.minimum((table["confidence"] * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return (
        table.groupby(number).agg({"confidence": "mean", "accuracy": "mean", "pictures": "sum"}).reset_index(drop=True)
    )


def find_worst(task: str, predictions: pd.DataFrame, count: int) -> pd.DataFrame:
    """Find the errors with the largest loss, largest first.

    Returns:
        Rows of predictions, with a column `loss`: for classes minus the logarithm of the
        probability of the real class, of wrong predictions alone; for numbers the absolute error.
    """
    table = predictions.assign(loss=LOSSES[task](predictions))
    if task == "classification":
        table = table[table["real"] != table["predicted"]]
    return table.sort_values("loss", ascending=False, kind="stable").head(count)


def log_losses(predictions: pd.DataFrame) -> np.ndarray:
    """Return minus the logarithm of the probability of the real class, (N,)."""
    columns = {column: number for number, column in enumerate(predictions.columns)}
    places = predictions["real"].map(lambda name: columns[PROBABILITY + name]).to_numpy()
    chances = predictions.to_numpy()[np.arange(len(predictions)), places].astype(float)
    return -np.log(np.maximum(chances, np.finfo(np.float32).tiny))


LOSSES: dict[str, Callable[[pd.DataFrame], np.ndarray]] = {
    "classification": log_losses,
    "regression": lambda predictions: (predictions["predicted"] - predictions["real"]).abs().to_numpy(float),
}
