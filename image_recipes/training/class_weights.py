"""How much each class counts in the training loss."""

import sys

import numpy as np

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.models.recipe import Recipe


def weigh_classes(recipe: Recipe, info: DatasetInfo, targets: np.ndarray) -> list[float]:
    """Return the weight of each class in the training loss, and say which were given.

    Args:
        recipe: weighs classes.
        info: the dataset's.
        targets: of the training pictures, (N,).

    Raises:
        UserError: it names a class that the dataset does not have, or none counts.
    """
    given, names = recipe.settings.class_weight, info.class_names
    if not isinstance(given, dict):
        return _balance(targets, len(names))
    for name in given:
        if name not in names:
            raise UserError(f"{recipe.key}.class_weight: no class {name!r}: {did_you_mean(name, names)}")
    if not any(given.get(name, 1) for name in names):
        raise UserError(f"{recipe.key}.class_weight: no class has a weight above 0: give one to what is to be learned")
    counted = dict(given)
    if len(given) < len(names):
        counted["any other class"] = 1
    told = ", ".join(f"of {name} as {weight:g}" for name, weight in counted.items())
    print(f"{recipe.name}: the training loss counts a picture {told}", file=sys.stderr)
    return [float(given.get(name, 1)) for name in names]


def _balance(targets: np.ndarray, classes: int) -> list[float]:
    """Weigh classes so that each counts as much: N / (classes x its own), as scikit-learn's `balanced` does."""
    counts = np.bincount(targets, minlength=classes)
    return (len(targets) / (classes * np.maximum(counts, 1))).tolist()
