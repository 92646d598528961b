"""Cross-validation: how a recipe does on pictures that were held out, over several divisions of them."""

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from image_recipes.core.dataset import DatasetInfo, Prepared
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.models.backend import keras
from image_recipes.models.feeding import evaluation_batches
from image_recipes.models.recipe import Recipe
from image_recipes.training.fit import train_recipe

# of pictures.csv: pictures that share what one of these says stay in one fold
GROUP_COLUMNS = ("group", "duplicates", "sha256")
# of the table, before the task's main metric: numbers of pictures, and of epochs
COLUMNS = ("fold", "train", "validation", "held_out", "epochs")


def cross_validate(recipe: Recipe, prepared: Prepared, pool: np.ndarray, groups: np.ndarray, seed: int) -> pd.DataFrame:
    """Train a fresh model for each fold, and judge it by the pictures of that fold.

    Where the recipe chooses by validation pictures (early stopping, a rate lowered on a plateau),
    these are the fold after the one held out, so that nothing is chosen by the pictures that judge.

    Args:
        recipe: says how many folds; without, nothing is trained.
        prepared: its dataset.
        pool: (n,), the positions of the pictures to divide: those of training and validation.
        groups: (n,), pictures of one stay in one fold.
        seed: of the division and of each training.

    Returns:
        A row for each fold: fold from 1, train, validation and held_out (numbers of pictures),
        epochs, and the main metric of the pictures held out.

    Raises:
        UserError: too few groups, or as `train_recipe`.
    """
    info = prepared.info
    columns = [*COLUMNS, info.task.metric]
    if recipe.settings.folds is None:
        return pd.DataFrame(columns=columns)
    folds = list(_divide(recipe, info, prepared.subset(pool).targets, groups, seed))
    rows = []
    for number, held_out in enumerate(folds):
        chooses = recipe.settings.early_stopping or recipe.settings.reduce_lr_on_plateau
        judged_by = folds[(number + 1) % len(folds)] if chooses else held_out
        rest = np.setdiff1d(np.arange(len(pool)), np.concatenate([held_out, judged_by]))
        splits = {"train": prepared.subset(pool[rest]), "validation": prepared.subset(pool[judged_by])}
        print(f"{recipe.name}: fold {number + 1} of {len(folds)}", file=sys.stderr)
        model, history = train_recipe(recipe, info, splits, seed)
        pictures = prepared.subset(pool[held_out])
        outputs = model.predict(evaluation_batches(pictures, model), verbose=0)
        score = SCORES[info.task](pictures.targets, outputs)
        counts = (len(rest), len(judged_by) if chooses else 0, len(held_out), len(history))
        rows.append((number + 1, *counts, score))
        keras.utils.clear_session()
    table = pd.DataFrame(rows, columns=columns)
    scores = table[info.task.metric]
    found = f"{info.task.metric} {scores.mean():.4g} \u00b1 {scores.std():.2g} (mean and standard deviation)"
    print(f"{recipe.name}: over {len(folds)} folds: {found}", file=sys.stderr)
    return table


def find_groups(folder: Path, pool: np.ndarray) -> np.ndarray:
    """Find which pictures belong together: by group, near-duplicates and content; each alone if nothing says so.

    Args:
        folder: holds the prepared dataset.
        pool: (n,), positions of pictures.

    Returns:
        A number for each group, (n,).
    """
    file = folder / "pictures.csv"
    if not file.exists():
        return np.arange(len(pool))
    table = pd.read_csv(file, dtype=str, keep_default_na=False).iloc[pool].reset_index(drop=True)
    pairs = []
    for column in GROUP_COLUMNS:
        # each picture, and the first that says the same
        known = np.flatnonzero(table[column] != "")
        _, first, which = np.unique(table[column].to_numpy(str)[known], return_index=True, return_inverse=True)
        pairs.append(np.stack([known, known[first][which]]))
    ends = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(ends.shape[1], np.int8), (ends[0], ends[1])), shape=(len(pool), len(pool)))
    return connected_components(graph, directed=False)[1]


def _divide(
    recipe: Recipe, info: DatasetInfo, targets: np.ndarray, groups: np.ndarray, seed: int
) -> Iterator[np.ndarray]:
    count, known = recipe.settings.folds or 0, len(np.unique(groups))
    if known < count:
        raise UserError(f"{recipe.key}.folds: {count} folds of {known} groups of pictures: give at most {known}")
    make = DIVIDERS[info.task]
    with warnings.catch_warnings():
        # of a class with fewer pictures than folds; those that lack it say nothing of it
        warnings.simplefilter("ignore", UserWarning)
        for _, held_out in make(count, seed).split(targets, targets, groups):
            yield held_out


DIVIDERS: dict[Task, Callable[[int, int], StratifiedGroupKFold | GroupKFold]] = {
    CLASSIFICATION: lambda count, seed: StratifiedGroupKFold(count, shuffle=True, random_state=seed),
    REGRESSION: lambda count, seed: GroupKFold(count, shuffle=True, random_state=seed),
}
SCORES: dict[Task, Callable[[np.ndarray, np.ndarray], float]] = {
    CLASSIFICATION: lambda targets, outputs: float((outputs.argmax(axis=1) == targets).mean()),
    REGRESSION: lambda targets, outputs: float(((outputs[:, 0].astype(float) - targets) ** 2).mean()),
}
