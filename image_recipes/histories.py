"""The training history of a recipe: one row an epoch."""

from pathlib import Path

import pandas as pd

from image_recipes.errors import UserError
from image_recipes.files import written_whole

# DVCLive's folder for a figure of Keras's logs, and the prefix Keras gives it
PREFIXES = {"train": "", "eval": "val_"}


def join_history(live_dir: Path) -> pd.DataFrame:
    """Join DVCLive's files, one for each figure, into one table.

    Args:
        live_dir: the folder DVCLive logged to.

    Returns:
        Columns `epoch` (from 1), then Keras's names: `accuracy`, `loss`, `val_accuracy`,
        `val_loss`, as far as the task has them.
    """
    columns = {}
    for folder, prefix in PREFIXES.items():
        for file in sorted((live_dir / "plots" / "metrics" / folder).glob("*.tsv")):
            columns[prefix + file.stem] = pd.read_csv(file, sep="\t", index_col="step")[file.stem]
    history = pd.DataFrame(columns)
    history.insert(0, "epoch", history.index + 1)
    return history


def save_history(history: pd.DataFrame, file: Path) -> None:
    """Write a history as CSV, whole or not at all."""
    with written_whole(file) as partial:
        # rounded: float32 holds about seven digits
        history.to_csv(partial, index=False, float_format="%.7g")


def load_history(file: Path) -> pd.DataFrame:
    """Read a history that `save_history` wrote.

    Raises:
        UserError: the file is missing or is no such table.
    """
    try:
        history = pd.read_csv(file)
        if {"epoch", "loss", "val_loss"} <= set(history.columns):
            return history
    except (OSError, ValueError):
        pass
    raise UserError(f"{file}: missing or damaged: make it by `dvc repro train@{file.stem}`")
