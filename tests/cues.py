"""Pictures in which it is known what decides, and models trained on them, for tests of heat maps."""

from collections.abc import Sequence

import numpy as np

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.recipe import Layer
from recipes import class_info, make_recipe, number_info

SIDE, CUE, EDGE = 24, 6, 2
CORNERS = [f"corner {number}" for number in range(4)]
CLASSES, NUMBERS = class_info([SIDE, SIDE, 1], CORNERS), number_info([SIDE, SIDE, 1])
# around the cue, where a map is as coarse as its cells or windows
MARGIN = 3


def make_cues(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make pictures of noise with a bright patch in a corner.

    Returns:
        uint8 (N, 24, 24, 1); the corners' numbers, (N,); and bool (N, 24, 24), where the patch and its margin are.
    """
    random = np.random.default_rng(seed)
    images = random.integers(0, 120, (count, SIDE, SIDE, 1), dtype=np.uint8)
    corners = random.integers(0, 4, count)
    around = np.zeros((count, SIDE, SIDE), bool)
    for image, corner, place in zip(images, corners, around, strict=True):
        top, left = (EDGE if first else SIDE - EDGE - CUE for first in (corner < 2, corner % 2 == 0))
        image[top : top + CUE, left : left + CUE] += 120
        place[max(0, top - MARGIN) : top + CUE + MARGIN, max(0, left - MARGIN) : left + CUE + MARGIN] = True
    return images, corners, around


def train_on_cues(layers: Sequence[Layer], info: DatasetInfo = CLASSES, epochs: int = 6) -> keras.Model:
    """Train a model to tell the corner, or a number: how bright the patch is, of those in the first corner alone."""
    keras.utils.set_random_seed(0)
    model = build_model(make_recipe(layers), info)
    images, corners, _ = make_cues(400, 1)
    if info.task == CLASSIFICATION:
        targets, loss = corners, "sparse_categorical_crossentropy"
    else:
        # lower where the patch is in the first corner: the cue speaks by lowering the number
        targets, loss = np.where(corners == 0, -1.0, 1.0), "mse"
    model.compile(keras.optimizers.Adam(0.005), loss, jit_compile=False)
    model.fit(images, targets, batch_size=32, epochs=epochs, verbose=0)
    return model
