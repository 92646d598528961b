"""A prepared dataset on disk, and its split into train, validation and test."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from image_recipes.core.errors import UserError
from image_recipes.core.files import written_whole
from image_recipes.core.loading import (
    Kind,
    by_stage,
    check_positions,
    load_array,
    load_json,
    load_table,
    loading,
)
from image_recipes.core.tasks import CLASSIFICATION, TASKS, Task

if TYPE_CHECKING:
    import pandas as pd

# beside the arrays of a person's own pictures: a row for each, with its file's path and more
PICTURES_FILE = "pictures.csv"


# of a picture's side, in pixels
SideLength = Annotated[int, Field(ge=1, le=4096)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _SavedInfo(BaseModel):
    """What `DatasetInfo.to_json` returns; earlier versions left the last three out."""

    model_config = ConfigDict(strict=True, extra="forbid")
    task: str
    classes: list[str] | None
    unit: str | None
    image_shape: tuple[SideLength, SideLength, Literal[1, 3]]
    parts: dict[str, Annotated[int, Field(ge=0)]]
    origin: str
    fit: Literal["pad", "crop", "stretch"] = "pad"
    region: tuple[Fraction, Fraction, Fraction, Fraction] = (0, 0, 1, 1)
    pixel_range: dict[str, tuple[Finite, Finite]] | None = None


@dataclass(frozen=True)
class DatasetInfo:
    """What a prepared dataset holds.

    Attributes:
        task: what is predicted.
        classes: the classes' names, in the order of their numbers; None for regression.
        unit: what the number counts or measures; None for classification.
        image_shape: height, width, channels.
        parts: how many images each block of the published order has; a source that has
            no `validation` of its own leaves it out, and it is taken from `train`.
        origin: where the images come from.
        fit: how a picture of another size is made to fit: `pad`, `crop` or `stretch`.
        region: the part of a picture that is used, as fractions of its width and height:
            left, top, right, bottom.
        pixel_range: which values became 0 and 255, for each kind of number with more than 8
            bits a channel; None for the whole range of their numbers.
    """

    task: Task
    classes: list[str] | None
    unit: str | None
    image_shape: list[int]
    parts: dict[str, int]
    origin: str
    fit: str = "pad"
    region: list[float] = field(default_factory=lambda: [0, 0, 1, 1])
    pixel_range: dict[str, list[float]] | None = None

    @property
    def class_names(self) -> list[str]:
        """The classes' names, of a task that has classes."""
        if self.classes is None:
            raise TypeError(f"{self.task.name} has no classes")
        return self.classes

    def to_json(self) -> dict[str, Any]:
        """Return plain values, from which `from_json` makes the same again."""
        values = {**asdict(self), "task": self.task.name}
        # left out where it is not used, so that what was written before it existed stays the same
        return {name: value for name, value in values.items() if name != "pixel_range" or value is not None}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "DatasetInfo":
        """Make it of what `to_json` returned.

        Raises:
            LookupError, TypeError, ValueError: these are no such values.
        """
        info = cls(**{**values, "task": TASKS[values["task"]]})
        # JSON has lists alone
        _SavedInfo.model_validate_json(json.dumps(values))
        left, top, right, bottom = info.region
        if (info.task is CLASSIFICATION) != (info.classes is not None) or left >= right or top >= bottom:
            raise ValueError("its task and its classes, or the ends of its region, do not fit each other")
        if info.classes is not None and not 0 < len(info.classes) == len(set(info.classes)):
            raise ValueError("it has no classes, or one twice")
        return info

    @property
    def pictures(self) -> int | None:
        """How many pictures there are; None if that is not known, as of what a model was trained on."""
        return sum(self.parts.values()) if self.parts else None


@dataclass(frozen=True)
class Prepared:
    """A prepared dataset: images uint8 (N, H, W, C), memory-mapped; targets (N,); info."""

    images: np.ndarray
    targets: np.ndarray
    info: DatasetInfo

    def subset(self, indices: np.ndarray) -> "Subset":
        """Choose the pictures at these positions.

        Raises:
            UserError: there are no such positions.
        """
        try:
            check_positions(indices, len(self.images))
        except ValueError as error:
            raise UserError(
                f"the split does not fit the prepared pictures: make both again by `dvc repro` ({error})"
            ) from None
        return Subset(self.images, self.targets[indices], indices)


@dataclass(frozen=True)
class Subset:
    """Some pictures of a dataset; they stay where they are until they are read.

    Attributes:
        images: uint8, (M, H, W, C), those of the whole dataset: in memory, or a whole
            `.npy` file, memory-mapped. Or float32, (M, ...), what a network makes of them.
        targets: (N,), of the subset.
        indices: int64, (N,), where the subset's pictures lie in `images`.
    """

    images: np.ndarray
    targets: np.ndarray
    indices: np.ndarray

    def __len__(self) -> int:
        """Return the number of pictures, N."""
        return len(self.indices)

    @property
    def picture_shape(self) -> tuple[int, ...]:
        """Height, width, channels."""
        return self.images.shape[1:]

    @property
    def picture_bytes(self) -> int:
        """Bytes of one picture."""
        return math.prod(self.picture_shape) * self.images.itemsize

    def read(self, positions: np.ndarray | slice = slice(None), into: np.ndarray | None = None) -> np.ndarray:
        """Read the pictures at these positions of the subset.

        Args:
            positions: of the subset, in the order wanted.
            into: (n, H, W, C) to read into, if not into a new array.

        Returns:
            As `images`, (n, H, W, C).
        """
        images = self.images
        if isinstance(images, np.memmap):
            # the pages that were read count as this process's memory until their map is closed
            images = np.load(str(images.filename), mmap_mode="r", allow_pickle=False)
        # "clip", since "raise" goes through a buffer; the indices are in range
        return np.take(images, self.indices[positions], axis=0, out=into, mode="clip")


def save_prepared(images: np.ndarray, targets: np.ndarray, info: DatasetInfo, folder: Path) -> None:
    """Write images.npy, targets.npy and dataset.json into a folder, whole or not at all."""
    with written_whole(folder) as partial:
        partial.mkdir()
        # in C order, so that a picture's bytes lie together
        np.save(partial / "images.npy", np.ascontiguousarray(images), allow_pickle=False)
        save_targets(targets, info, partial)


def save_targets(targets: np.ndarray, info: DatasetInfo, folder: Path) -> None:
    """Write targets.npy and dataset.json beside the images of a folder."""
    np.save(folder / "targets.npy", targets, allow_pickle=False)
    (folder / "dataset.json").write_text(json.dumps(info.to_json(), indent=2, ensure_ascii=False) + "\n", "utf-8")


def load_prepared(folder: Path) -> Prepared:
    """Open a prepared dataset; the images stay on disk until they are used.

    Raises:
        UserError: the folder is missing or damaged.
    """
    with loading(folder, by_stage(f"prepare@{folder.name}")):
        info = load_info(folder)
        images = load_array(folder / "images.npy", np.uint8, (info.pictures, *info.image_shape))
        return Prepared(images, load_targets(folder, info, len(images)), info)


def load_targets(folder: Path, info: DatasetInfo, count: int | None = None) -> np.ndarray:
    """Load the targets of a prepared dataset, of `count` pictures if that is known.

    Returns:
        (N,): for classification int64, the numbers of classes; for regression float32, finite.

    Raises:
        UserError: they are missing or damaged.
    """
    with loading(folder, by_stage(f"prepare@{folder.name}")):
        dtype = np.float32 if info.classes is None else np.int64
        # in memory
        targets = np.array(load_array(folder / "targets.npy", dtype, (count,)))
        if info.classes is None and not np.isfinite(targets).all():
            raise ValueError("targets.npy holds what is no finite number")
        if info.classes is not None and len(targets) and not 0 <= targets.min() <= targets.max() < len(info.classes):
            raise ValueError("targets.npy holds numbers of no class")
        return targets


def load_info(folder: Path) -> DatasetInfo:
    """Load what a prepared dataset holds, without its pictures.

    Raises:
        UserError: the folder is missing or damaged.
    """
    with loading(folder, by_stage(f"prepare@{folder.name}")):
        return DatasetInfo.from_json(load_json(folder / "dataset.json"))


def load_picture_table(folder: Path, columns: Mapping[str, Kind]) -> "pd.DataFrame":
    """Load columns of what is known of each prepared picture, by position, of a person's own pictures.

    Args:
        folder: holds the prepared dataset, and PICTURES_FILE.
        columns: of the table, with what they hold.

    Raises:
        UserError: the file is missing or damaged.
    """
    file = folder / PICTURES_FILE
    with loading(file, by_stage(f"prepare@{folder.name}")):
        return load_table(file, columns, usecols=list(columns))


def save_split(indices: Mapping[str, np.ndarray], folder: Path) -> None:
    """Write the indices of each split as `<split>.npy`, whole or not at all."""
    with written_whole(folder) as partial:
        partial.mkdir()
        for name, array in indices.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)


def load_split(folder: Path, name: str) -> np.ndarray:
    """Load one split's indices into the prepared images, int64; `Prepared.subset` checks how many these are.

    Raises:
        UserError: the file is missing or damaged.
    """
    file = folder / f"{name}.npy"
    with loading(file, by_stage(f"split@{folder.name}")):
        # in memory
        indices = np.array(load_array(file, np.int64, (None,)))
        check_positions(indices, None)
        return indices
