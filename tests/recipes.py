"""Recipes, datasets and a model for tests of models and training, without a project around them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.params import validate
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.models.recipe import RANDOM, Layer, Recipe, RecipeSettings

SETTINGS: dict[str, Any] = {
    "dataset": "own",
    "architecture": "net",
    "start_from": RANDOM,
    "epochs": 4,
    "batch_size": 16,
    "precision": "float32",
    # to compile takes seconds
    "jit_compile": False,
    "optimizer": {"name": "SGD", "learning_rate": 0.1},
}


def make_recipe(layers: Sequence[Layer], **changes: Any) -> Recipe:
    """Make the recipe `net` of these layers, with other settings where some are given as in params.yaml."""
    return Recipe("net", validate(RecipeSettings, {**SETTINGS, **changes}, "recipes.net"), list(layers))


def class_info(shape: Sequence[int], classes: Sequence[str] = ("dark", "bright")) -> DatasetInfo:
    """Make the info of a dataset of classes."""
    return DatasetInfo(CLASSIFICATION, list(classes), None, list(shape), {}, "a test")


def number_info(shape: Sequence[int], unit: str = "g") -> DatasetInfo:
    """Make the info of a dataset of numbers."""
    return DatasetInfo(REGRESSION, None, unit, list(shape), {}, "a test")


def save_trained(file: Path) -> Path:
    """Save a model for numbers of pictures of 8 x 8, as another recipe may have left it, for others to start from."""
    from image_recipes.models.backend import keras
    from image_recipes.models.build import build_model
    from image_recipes.models.saving import save_model

    keras.utils.set_random_seed(5)
    layers = [
        Layer("Conv2D", {"filters": 4, "kernel_size": 3}),
        Layer("BatchNormalization", {}),
        Layer("GlobalAveragePooling2D", {}),
        Layer("Dropout", {"rate": 0.5}),
    ]
    info = number_info([8, 8, 1])
    model = build_model(make_recipe(layers), info)
    # scale, offset, mean and variance, as if it had been trained
    figures = [[1, 2, 1, 2], [0] * 4, [0.1] * 4, [2] * 4]
    model.layers[2].set_weights([np.array(values, np.float32) for values in figures])
    save_model(model, info, file)
    return file
