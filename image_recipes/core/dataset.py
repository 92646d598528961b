"""A prepared dataset on disk, and its split into train, validation and test."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from image_recipes.core.errors import UserError
from image_recipes.core.files import written_whole
from image_recipes.core.tasks import TASKS, Task

# beside the arrays of a person's own pictures: a row for each, with its file's path and more
PICTURES_FILE = "pictures.csv"


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
            KeyError, TypeError: these are no such values.
        """
        return cls(**{**values, "task": TASKS[values["task"]]})


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
        if len(indices) and not 0 <= indices.min() <= indices.max() < len(self.images):
            raise UserError(
                f"the split names picture {indices.max():,}, but {len(self.images):,} are prepared: "
                "make both again by `dvc repro`"
            )
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
            images = np.load(str(images.filename), mmap_mode="r")
        # "clip", since "raise" goes through a buffer; the indices are in range
        return np.take(images, self.indices[positions], axis=0, out=into, mode="clip")


def save_prepared(images: np.ndarray, targets: np.ndarray, info: DatasetInfo, folder: Path) -> None:
    """Write images.npy, targets.npy and dataset.json into a folder, whole or not at all."""
    with written_whole(folder) as partial:
        partial.mkdir()
        # in C order, so that a picture's bytes lie together
        np.save(partial / "images.npy", np.ascontiguousarray(images))
        save_targets(targets, info, partial)


def save_targets(targets: np.ndarray, info: DatasetInfo, folder: Path) -> None:
    """Write targets.npy and dataset.json beside the images of a folder."""
    np.save(folder / "targets.npy", targets)
    (folder / "dataset.json").write_text(json.dumps(info.to_json(), indent=2, ensure_ascii=False) + "\n", "utf-8")


def load_prepared(folder: Path) -> Prepared:
    """Open a prepared dataset; the images stay on disk until they are used.

    Raises:
        UserError: the folder is missing or damaged.
    """
    try:
        images = np.load(folder / "images.npy", mmap_mode="r")
        return Prepared(images, np.load(folder / "targets.npy"), load_info(folder))
    except (OSError, ValueError, EOFError):
        raise _unprepared(folder) from None


def load_info(folder: Path) -> DatasetInfo:
    """Load what a prepared dataset holds, without its pictures.

    Raises:
        UserError: the folder is missing or damaged.
    """
    try:
        return DatasetInfo.from_json(json.loads((folder / "dataset.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        raise _unprepared(folder) from None


def _unprepared(folder: Path) -> UserError:
    return UserError(f"{folder}: missing or damaged: make it by `dvc repro prepare@{folder.name}`")


def save_split(indices: Mapping[str, np.ndarray], folder: Path) -> None:
    """Write the indices of each split as `<split>.npy`, whole or not at all."""
    with written_whole(folder) as partial:
        partial.mkdir()
        for name, array in indices.items():
            np.save(partial / f"{name}.npy", array)


def load_split(folder: Path, name: str) -> np.ndarray:
    """Load one split's indices into the prepared images, int64.

    Raises:
        UserError: the file is missing or damaged.
    """
    file = folder / f"{name}.npy"
    try:
        return np.load(file)
    except (OSError, ValueError, EOFError):
        raise UserError(f"{file}: missing or damaged: make it by `dvc repro split@{folder.name}`") from None
