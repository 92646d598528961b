"""Where pictures come from: for each `source` of params.yaml, its settings, and how to prepare and split them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from image_recipes.datasets import DatasetInfo, Subset, load_info, save_prepared, split_indices
from image_recipes.dots import DotsDataset, generate_dots, predict_dots
from image_recipes.errors import UserError, did_you_mean
from image_recipes.files import write_text
from image_recipes.folder import FolderDataset, prepare_folder
from image_recipes.mnist import MnistDataset, read_mnist
from image_recipes.params import PARAMS_FILE, read_section, validate
from image_recipes.splits import split_own
from image_recipes.table import TableDataset, prepare_table

References = dict[str, tuple[np.ndarray, dict[str, float]]]
Dataset = MnistDataset | DotsDataset | FolderDataset | TableDataset


class Source(NamedTuple):
    """What a source brings.

    Attributes:
        settings: the schema of a dataset's settings.
        prepare: makes the prepared dataset in a folder from the settings; returns what
            stops the run, if anything does.
        split: returns the indices of each split, from the folder of the prepared dataset,
            the settings, and the file that says which picture has which split.
        references: returns what pictures can be predicted to be by knowing how they are
            made, as `predict_dots` does; None for pictures whose making is not known.
    """

    settings: type[Dataset]
    prepare: Callable[[Any, Path], str | None]
    split: Callable[[Path, Any, Path], dict[str, np.ndarray]]
    references: Callable[[Any, Subset], References] | None = None


def _prepare_by(
    read: Callable[[Any], tuple[np.ndarray, np.ndarray, DatasetInfo]],
) -> Callable[[Any, Path], str | None]:
    def prepare(settings: Any, folder: Path) -> None:
        save_prepared(*read(settings), folder)

    return prepare


def _split_as_published(folder: Path, settings: MnistDataset | DotsDataset, file: Path) -> dict[str, np.ndarray]:
    write_text("# in the published order\n", file)
    return split_indices(load_info(folder).parts, settings.split.model_dump())


SOURCES = {
    "mnist": Source(MnistDataset, _prepare_by(read_mnist), _split_as_published),
    "dots": Source(DotsDataset, _prepare_by(generate_dots), _split_as_published, predict_dots),
    "folder": Source(FolderDataset, prepare_folder, split_own),
    "table": Source(TableDataset, prepare_table, split_own),
}


def predict_references(settings: Dataset, pictures: Subset) -> References:
    """Predict pictures by what their source knows of how they are made: nothing, for most.

    Returns:
        By name, predictions of float (N, 1) or (N, classes), and metrics known beforehand.
    """
    references = SOURCES[settings.source].references
    return references(settings, pictures) if references else {}


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
