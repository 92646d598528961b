"""The figures of a recipe's cross-validation: a row for each fold."""

from pathlib import Path

from image_recipes.core.loading import by_stage, load_table, loading
from image_recipes.core.tasks import Task
from image_recipes.results.metrics import Metrics


def summarize_folds(file: Path, task: Task) -> Metrics:
    """Read the file that the stage `train` wrote, and return mean and standard deviation over the folds.

    Returns:
        folds, their number, folds_<metric> and folds_<metric>_std; nothing of a recipe without folds.

    Raises:
        UserError: the file is missing or is no such table.
    """
    with loading(file, by_stage(f"train@{file.name.partition('.')[0]}")):
        scores = load_table(file, {"fold": "count", task.metric: "number"}, keep_default_na=True)[task.metric]
    if not len(scores):
        return {}
    figure = f"folds_{task.metric}"
    return {"folds": len(scores), figure: float(scores.mean()), f"{figure}_std": float(scores.std())}
