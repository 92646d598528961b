"""Where pictures come from: one function for each `source` of params.yaml."""

from collections.abc import Callable
from typing import Any

import numpy as np

from image_recipes.datasets import DatasetInfo
from image_recipes.dots import generate_dots
from image_recipes.mnist import read_mnist

SOURCES: dict[str, Callable[[Any], tuple[np.ndarray, np.ndarray, DatasetInfo]]] = {
    "mnist": read_mnist,
    "dots": generate_dots,
}
