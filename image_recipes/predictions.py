"""The predictions of a recipe on the test pictures, as a table."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.errors import UserError
from image_recipes.files import written_whole

# before a class's name, the column of its probability
PROBABILITY = "probability_"


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
    probabilities = pd.DataFrame(predicted, columns=[PROBABILITY + name for name in classes])
    return pd.concat([table, probabilities], axis=1)


def save_predictions(predictions: pd.DataFrame, file: Path) -> None:
    """Write predictions as CSV, whole or not at all."""
    with written_whole(file) as partial:
        predictions.to_csv(partial, index=False)


def load_predictions(file: Path, classes: list[str] | None) -> pd.DataFrame:
    """Read a recipe's predictions; classes' names stay text, such as the class `007`.

    Raises:
        UserError: the file is missing or is no such table.
    """
    return _read(file, classes, f"evaluate@{file.stem}")


def load_baselines(folder: Path, classes: list[str] | None) -> dict[str, pd.DataFrame]:
    """Read the predictions of a dataset's baselines, by name.

    Raises:
        UserError: there are none, or a file is no such table.
    """
    stage = f"baseline@{folder.name}"
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise UserError(f"{folder}: missing: make it by `dvc repro {stage}`")
    return {file.stem: _read(file, classes, stage) for file in files}


def _read(file: Path, classes: list[str] | None, stage: str) -> pd.DataFrame:
    try:
        return read_predictions(file.read_bytes(), classes)
    except (OSError, ValueError):
        raise UserError(f"{file}: missing or damaged: make it by `dvc repro {stage}`") from None


def read_predictions(content: bytes, classes: list[str] | None) -> pd.DataFrame:
    """Read predictions from the bytes of a file.

    Raises:
        ValueError: they are no such table.
    """
    text = {} if classes is None else {"real": str, "predicted": str}
    predictions = pd.read_csv(io.BytesIO(content), dtype=text, keep_default_na=classes is None)
    if not {"index", "real", "predicted"} <= set(predictions.columns):
        raise ValueError("columns are missing")
    # an empty cell, of a network that has diverged, is text where NA is a class
    numbers = predictions.columns.difference(list(text))
    predictions[numbers] = predictions[numbers].apply(pd.to_numeric)
    return predictions
