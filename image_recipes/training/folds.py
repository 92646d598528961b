"""Cross-validation: how a recipe does on pictures that were held out, over several divisions of them."""

import multiprocessing
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from image_recipes.core.dataset import DatasetInfo, Prepared, load_prepared
from image_recipes.core.errors import UserError
from image_recipes.core.groups import find_groups
from image_recipes.core.parent import end_with_parent
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.models.feeding import evaluation_batches
from image_recipes.models.recipe import Recipe
from image_recipes.training.fit import train_recipe

# of the table, before the task's main metric: numbers of pictures, and of epochs
COLUMNS = ("fold", "train", "validation", "held_out", "epochs")


class Fold(NamedTuple):
    """Positions of pictures: to learn from, to choose by, and those held out, which judge.

    Without anything to choose, those to choose by are those held out.
    """

    train: np.ndarray
    validation: np.ndarray
    held_out: np.ndarray


def cross_validate(
    recipe: Recipe, folder: Path, pool: np.ndarray, seed: int, states: Path | None = None
) -> pd.DataFrame:
    """Train a fresh model for each fold, in a process of its own, and judge it by the pictures of that fold.

    Args:
        recipe: says how many folds; without, nothing is trained.
        folder: holds the prepared dataset.
        pool: (n,), the positions of the pictures to divide: those of training and validation.
        seed: of the division and of each training.
        states: a folder, as for `train_recipe`.

    Returns:
        A row for each fold: fold from 1, train, validation and held_out (numbers of pictures; no
        validation where nothing is chosen), epochs, and the main metric of the pictures held out.

    Raises:
        UserError: too few groups, or as `train_recipe`.
    """
    prepared = load_prepared(folder)
    metric, rows = prepared.info.task.metric, []
    folds = plan_folds(recipe, prepared, pool, find_groups(folder, pool), seed) if recipe.settings.folds else []
    for number, fold in enumerate(folds, 1):
        print(f"{recipe.name}: fold {number} of {len(folds)}", file=sys.stderr, flush=True)
        # training wants to be the first that TensorFlow does in a process
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), end_with_parent) as process:
            epochs, score = process.submit(_train_fold, recipe, folder, fold, seed, states).result()
        counts = (len(fold.train), len(fold.validation) if _chooses(recipe) else 0, len(fold.held_out))
        rows.append((number, *counts, epochs, score))
    table = pd.DataFrame(rows, columns=[*COLUMNS, metric])
    if rows:
        found = f"{metric} {table[metric].mean():.4g} \u00b1 {table[metric].std():.2g} (mean and standard deviation)"
        print(f"{recipe.name}: over {len(folds)} folds: {found}", file=sys.stderr)
    return table


def _train_fold(recipe: Recipe, folder: Path, fold: Fold, seed: int, states: Path | None) -> tuple[int, float]:
    prepared = load_prepared(folder)
    splits = {"train": prepared.subset(fold.train), "validation": prepared.subset(fold.validation)}
    model, history = train_recipe(recipe, prepared.info, splits, seed, states=states)
    pictures = prepared.subset(fold.held_out)
    outputs = model.predict(evaluation_batches(pictures, model), verbose=0)
    return len(history), SCORES[prepared.info.task](pictures.targets, outputs)


def _chooses(recipe: Recipe) -> bool:
    return bool(recipe.settings.early_stopping or recipe.settings.reduce_lr_on_plateau)


def plan_folds(recipe: Recipe, prepared: Prepared, pool: np.ndarray, groups: np.ndarray, seed: int) -> list[Fold]:
    """Plan which pictures each fold learns from, chooses by, and is judged by.

    Where the recipe chooses by validation pictures (early stopping, a rate lowered on a plateau),
    these are the fold after the one held out, so that nothing is chosen by the pictures that judge.

    Args:
        recipe: says how many folds.
        prepared: its dataset.
        pool: (n,), positions of pictures.
        groups: (n,), pictures of one stay in one fold.
        seed: of the division.

    Raises:
        UserError: fewer groups than folds.
    """
    parts = list(_divide(recipe, prepared.info, prepared.subset(pool).targets, groups, seed))
    folds = []
    for number, held_out in enumerate(parts):
        validation = parts[(number + 1) % len(parts)] if _chooses(recipe) else held_out
        rest = np.setdiff1d(np.arange(len(pool)), np.concatenate([held_out, validation]))
        folds.append(Fold(pool[rest], pool[validation], pool[held_out]))
    return folds


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
