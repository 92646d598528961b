"""The training history of a recipe: one row an epoch."""

from pathlib import Path

import pandas as pd

from image_recipes.core.loading import by_stage, check_columns, load_table, loading


def load_history(file: Path) -> pd.DataFrame:
    """Read the history that the stage `train` wrote.

    Returns:
        Columns `epoch` (from 1), then Keras's names: `accuracy`, `loss`, `val_accuracy`,
        `val_loss`, as far as the task has them.

    Raises:
        UserError: the file is missing or is no such table, or its epochs are not 1, 2 and so on.
    """
    with loading(file, by_stage(f"train@{file.stem}")):
        # of a training that diverged, cells are empty
        history = load_table(file, {"epoch": "count", "loss": "number", "val_loss": "number"}, keep_default_na=True)
        if history["epoch"].tolist() != [*range(1, len(history) + 1)]:
            raise ValueError("its epochs are not 1, 2 and so on")
        return check_columns(history, dict.fromkeys(history.columns, "number"))
