"""The figures of a recipe's cross-validation: a row for each fold."""

from pathlib import Path

import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.core.tasks import Task
from image_recipes.results.metrics import Metrics


def summarize_folds(file: Path, task: Task) -> Metrics:
    """Read the file that the stage `train` wrote, and return mean and standard deviation over the folds.

    Returns:
        folds, their number, folds_<metric> and folds_<metric>_std; nothing of a recipe without folds.

    Raises:
        UserError: the file is missing or is no such table.
    """
    try:
        scores = pd.read_csv(file)[task.metric]
    except (OSError, ValueError, KeyError):
        name = file.name.partition(".")[0]
        raise UserError(f"{file}: missing or damaged: make it by `dvc repro train@{name}`") from None
    if not len(scores):
        return {}
    figure = f"folds_{task.metric}"
    return {"folds": len(scores), figure: float(scores.mean()), f"{figure}_std": float(scores.std())}
