"""A recipe's learning curve: how good it is after learning from a part of its training pictures, and from all."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from image_recipes.core.loading import Kind, load_table, loading
from image_recipes.results.hashes import hash_as_dvc

MODELS_FOLDER = Path("models")
# what is said of a training, around the task's main metric
BEFORE_METRIC, AFTER_METRIC = ("repeat", "pictures", "epochs"), ("gain", "gain_error", "inputs")


def curve_file(recipe: str) -> Path:
    """Return the file of a recipe's learning curve, which may not be there."""
    return Path(f"metrics/learning_curve/{recipe}.csv")


def curve_plot(recipe: str) -> Path:
    """Return the file of its plot."""
    return Path(f"plots/learning_curve/{recipe}.png")


def curve_columns(metric: str) -> list[str]:
    """Return the columns of a learning curve.

    `gain` is by how much the error (1 - accuracy, or mse) is lower than with the fewer pictures of the row
    before, on the same validation pictures, and `gain_error` its standard error; `inputs` is the hash of what
    the curve depends on.
    """
    return [*BEFORE_METRIC, metric, *AFTER_METRIC]


def load_curve(recipe: str, metric: str) -> pd.DataFrame | None:
    """Read a recipe's learning curve.

    Args:
        recipe: its name.
        metric: its task's main one.

    Returns:
        A row for each training; None if nobody has asked for the curve.

    Raises:
        UserError: the file is damaged.
    """
    file = curve_file(recipe)
    if not file.exists():
        return None
    remedy = f"delete it, and make it again by `image-recipes learning-curve {recipe}`"
    with loading(file, remedy):
        columns: dict[str, Kind] = dict.fromkeys(curve_columns(metric), "number")
        columns |= {**dict.fromkeys(BEFORE_METRIC, "count"), "inputs": "text"}
        table = load_table(file, columns, keep_default_na=True)[list(columns)]
        trainings = table.groupby("repeat").size()
        if trainings.empty or trainings.nunique() > 1 or trainings.iloc[0] < 2:
            raise ValueError("each repeat must have the same trainings, two or more")
        return table


def hash_inputs(params: Mapping[str, Any], recipe: str, data_hash: str, splits: Mapping[str, np.ndarray]) -> str:
    """Hash what a recipe's learning curve depends on.

    Args:
        params: params.yaml, plain.
        recipe: its name; a model that it starts from is there.
        data_hash: of its prepared dataset, as DVC has it.
        splits: int64, the positions of the pictures to learn from and of those that judge, by name.

    Returns:
        32 hexadecimal digits.
    """
    section = params["recipes"][recipe]
    start = Path(section["start_from"])
    values = [
        params["seed"],
        section,
        params["architectures"][section["architecture"]],
        data_hash,
        # weights from elsewhere are known by their name
        hash_as_dvc(start) if start.parent == MODELS_FOLDER else None,
    ]
    digest = hashlib.md5(json.dumps(values, sort_keys=True, default=str).encode(), usedforsecurity=False)
    for name in ("train", "validation"):
        digest.update(np.ascontiguousarray(splits[name], np.int64).data)
    return digest.hexdigest()
