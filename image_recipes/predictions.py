"""The predictions of a recipe on the test pictures, as a table."""

from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.errors import UserError
from image_recipes.files import written_whole


def tabulate_predictions(
    indices: np.ndarray, real: np.ndarray, predicted: np.ndarray, classes: list[str] | None
) -> pd.DataFrame:
    """Make a table with one row for each picture, in the order of the split.

    Args:
        indices: int64 (N,), positions in the prepared dataset's images.
        real: (N,), class numbers or numbers.
        predicted: (N, classes), probabilities, or (N, 1).
        classes: the classes' names; None for regression.

    Returns:
        Columns index, real, predicted. For classes the latter two are names, and a column
        `probability_<name>` follows for each class.
    """
    if classes is None:
        return pd.DataFrame({"index": indices, "real": real, "predicted": predicted[:, 0]})
    names = np.array(classes)
    table = pd.DataFrame({"index": indices, "real": names[real], "predicted": names[predicted.argmax(axis=1)]})
    probabilities = pd.DataFrame(predicted, columns=[f"probability_{name}" for name in classes])
    return pd.concat([table, probabilities], axis=1)


def save_predictions(predictions: pd.DataFrame, file: Path) -> None:
    """Write predictions as CSV, whole or not at all."""
    with written_whole(file) as partial:
        predictions.to_csv(partial, index=False)


def load_predictions(file: Path, classes: list[str] | None) -> pd.DataFrame:
    """Read predictions; classes' names stay text, such as the class `007`.

    Raises:
        UserError: the file is missing or is no such table.
    """
    text = {} if classes is None else {"real": str, "predicted": str}
    try:
        predictions = pd.read_csv(file, dtype=text, keep_default_na=classes is None)
        if {"index", "real", "predicted"} <= set(predictions.columns):
            return predictions
    except (OSError, ValueError):
        pass
    raise UserError(f"{file}: missing or damaged: make it by `dvc repro evaluate@{file.stem}`")
