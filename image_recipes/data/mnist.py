"""The source `mnist`: handwritten digits from mnist.npz, verified."""

import hashlib
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import model_validator

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.core.loading import check_zip
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.data.splits import PublishedPictures

BLOCK_SIZES = {"train": 60_000, "test": 10_000}
# SHA-256 of the four files as published, in the IDX format, uncompressed
PUBLISHED_ARRAYS = {
    "x_train": ((60_000, 28, 28), "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "y_train": ((60_000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "x_test": ((10_000, 28, 28), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "y_test": ((10_000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}


class MnistDataset(PublishedPictures):
    """The handwritten digits: 60,000 official training and 10,000 test images."""

    source: Literal["mnist"]
    task: Literal["classification"]

    @model_validator(mode="after")
    def _split_fits(self) -> "MnistDataset":
        wanted = self.split.train + self.split.validation
        if wanted > BLOCK_SIZES["train"]:
            raise ValueError(
                f"split: train + validation is {wanted:,}, but MNIST has {BLOCK_SIZES['train']:,} training pictures: "
                "lower one of them"
            )
        if self.split.test > BLOCK_SIZES["test"]:
            raise ValueError(
                f"split: test is {self.split.test:,}, but MNIST has {BLOCK_SIZES['test']:,} test pictures: lower it"
            )
        return self


def read_mnist(settings: MnistDataset) -> tuple[np.ndarray, np.ndarray, DatasetInfo]:
    """Read the digits in their published order: official training set, then test set.

    Returns:
        images: uint8, (70000, 28, 28, 1), 0 is background.
        targets: int64, (70000,), the digit.
        info: ten classes, parts `train` and `test`.

    Raises:
        UserError: the file is missing, truncated, or its content is not MNIST.
    """
    arrays = {name: _verified(Path(settings.raw), name) for name in PUBLISHED_ARRAYS}
    images = np.concatenate([arrays["x_train"], arrays["x_test"]])[..., np.newaxis]
    targets = np.concatenate([arrays["y_train"], arrays["y_test"]]).astype(np.int64)
    info = DatasetInfo(
        task=CLASSIFICATION,
        classes=[str(digit) for digit in range(10)],
        unit=None,
        image_shape=list(images.shape[1:]),
        parts=BLOCK_SIZES,
        origin="MNIST, Yann LeCun, Corinna Cortes and Christopher J. C. Burges",
    )
    return images, targets, info


def idx_header(shape: tuple[int, ...]) -> bytes:
    """Return the header of an IDX file of unsigned bytes.

    The format is described beside the data at yann.lecun.com/exdb/mnist: two zero bytes,
    8 for unsigned bytes, the number of dimensions, then each size as big-endian uint32.
    """
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()


def _verified(file: Path, name: str) -> np.ndarray:
    remedy = f"restore it by `git checkout {file}`"
    shape, digest = PUBLISHED_ARRAYS[name]
    try:
        with zipfile.ZipFile(file) as archive:
            check_zip(archive)
        with np.load(file, allow_pickle=False) as arrays:
            array = arrays[name]
    except FileNotFoundError:
        raise UserError(f"{file}: not found: {remedy}") from None
    except KeyError:
        raise UserError(f"{file}: holds no array {name!r}, so it is not MNIST: {remedy}") from None
    except (IsADirectoryError, PermissionError) as error:
        raise UserError(f"{file}: {error.strerror}: {remedy}") from None
    except Exception:  # what it raises depends on where the file is damaged
        raise UserError(f"{file}: cannot be read at {name!r}, so it is truncated or damaged: {remedy}") from None
    if array.dtype != np.uint8 or array.shape != shape:
        raise UserError(f"{file}: {name} is {array.dtype} {array.shape}, not uint8 {shape}: {remedy}")
    found = hashlib.sha256(idx_header(shape) + array.tobytes()).hexdigest()
    if found != digest:
        raise UserError(
            f"{file}: the content of {name} differs from MNIST's (SHA-256 {found[:12]}…, not {digest[:12]}…): {remedy}"
        )
    return array
