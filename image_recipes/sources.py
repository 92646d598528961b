"""Where pictures come from: for each `source` of params.yaml, its settings and its reader."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from image_recipes.datasets import DatasetInfo
from image_recipes.dots import DotsDataset, generate_dots
from image_recipes.errors import UserError, did_you_mean
from image_recipes.mnist import MnistDataset, read_mnist
from image_recipes.params import PARAMS_FILE, read_section, validate

Dataset = MnistDataset | DotsDataset


class Source(NamedTuple):
    """The schema of a dataset's settings, and the function that makes its images from them."""

    settings: type[Dataset]
    read: Callable[[Any], tuple[np.ndarray, np.ndarray, DatasetInfo]]


SOURCES = {
    "mnist": Source(MnistDataset, read_mnist),
    "dots": Source(DotsDataset, generate_dots),
}


def load_dataset(name: str) -> Dataset:
    """Load a dataset's settings.

    Raises:
        UserError: there is no such dataset, or its settings do not validate.
    """
    return validate_dataset(name, read_section("datasets", name))


def validate_dataset(name: str, section: Any) -> Dataset:
    """Validate a dataset's settings by the schema of its source.

    Raises:
        UserError: one line for each finding, with the key and the remedy.
    """
    source = section.get("source") if isinstance(section, dict) else None
    if not isinstance(source, str) or source not in SOURCES:
        raise UserError(f"{PARAMS_FILE}: datasets.{name}.source: no source {source!r}: {did_you_mean(source, SOURCES)}")
    return validate(SOURCES[source].settings, section, f"datasets.{name}")
