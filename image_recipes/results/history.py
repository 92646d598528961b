"""The training history of a recipe: one row an epoch."""

from pathlib import Path

import pandas as pd

from image_recipes.core.errors import UserError


def load_history(file: Path) -> pd.DataFrame:
    """Read the history that the stage `train` wrote.

    Returns:
        Columns `epoch` (from 1), then Keras's names: `accuracy`, `loss`, `val_accuracy`,
        `val_loss`, as far as the task has them.

    Raises:
        UserError: the file is missing or is no such table, or its epochs are not 1, 2 and so on.
    """
    try:
        history = pd.read_csv(file)
        epochs = [*range(1, len(history) + 1)]
        if {"epoch", "loss", "val_loss"} <= set(history.columns) and history["epoch"].tolist() == epochs:
            return history
    except (OSError, ValueError):
        pass
    raise UserError(f"{file}: missing or damaged: make it by `dvc repro train@{file.stem}`")
