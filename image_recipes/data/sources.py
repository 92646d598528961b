"""Where pictures come from: for each `source` of params.yaml, its settings, and what loads its pictures."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.params import PARAMS_FILE, read_section, validate
from image_recipes.data.dots import DotsDataset, generate_dots
from image_recipes.data.folder import FolderDataset, list_classes
from image_recipes.data.mnist import MnistDataset, read_mnist
from image_recipes.data.own_pictures import Listing
from image_recipes.data.table import TableDataset, list_rows

Dataset = MnistDataset | DotsDataset | FolderDataset | TableDataset
# images uint8 (N, H, W, C), targets (N,), and what they are
Arrays = tuple[np.ndarray, np.ndarray, DatasetInfo]


class Source(NamedTuple):
    """What a source brings; the rest is the pipeline's.

    Attributes:
        settings: the schema of a dataset's settings.
        load: for `OwnPictures` lists the files, which are then decoded, checked and divided; for
            `PublishedPictures` returns the pictures themselves, in the order of blocks that
            `DatasetInfo.parts` gives.
    """

    settings: type[Dataset]
    load: Callable[[Any], Listing | Arrays]


SOURCES = {
    "mnist": Source(MnistDataset, read_mnist),
    "dots": Source(DotsDataset, generate_dots),
    "folder": Source(FolderDataset, list_classes),
    "table": Source(TableDataset, list_rows),
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
