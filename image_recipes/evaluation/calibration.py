"""Whether a classifier's confidence is deserved."""

import numpy as np
import pandas as pd

from image_recipes.results.predictions import probabilities

# of equal width, as of Guo et al. (2017), "On Calibration of Modern Neural Networks"
CALIBRATION_BINS = 15


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


def calibration_error(predictions: pd.DataFrame) -> float:
    """Return the expected calibration error: the mean distance of confidence and accuracy over the ranges.

    NaN where a confidence is not finite: over the other pictures alone it would look better than it is.
    """
    bins = calibrate(predictions)
    if bins["pictures"].sum() < len(predictions):
        return np.nan
    shares = bins["pictures"] / len(predictions)
    return float((shares * (bins["accuracy"] - bins["confidence"]).abs()).sum())
