"""The source `dots`: pictures of dots thrown at random; the label is the number of throws."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.params import SPLIT_NAMES, Seed
from image_recipes.core.tasks import REGRESSION
from image_recipes.data.splits import PublishedPictures

LIT = 255  # so that scaling by 1/255 gives the lecture's 0 and 1


class DotsDataset(PublishedPictures):
    """Dots thrown at random on a square grid; the label is the number of throws."""

    source: Literal["dots"]
    task: Literal["regression"]
    seed: Seed
    # cells along each side
    size: Annotated[int, Field(ge=1, le=100)]


def generate_dots(settings: DotsDataset) -> tuple[np.ndarray, np.ndarray, DatasetInfo]:
    """Generate the pictures of every split, each from a random stream of its own.

    So another number of test pictures leaves the training pictures as they are.

    Returns:
        images: uint8, (N, size, size, 1), 255 where at least one dot fell, else 0.
        targets: float32, (N,), the number of throws.
        info: unit `throws`, parts `train`, `validation` and `test`.
    """
    parts = settings.split.model_dump()
    streams = np.random.SeedSequence(settings.seed).spawn(len(parts))
    drawn = [
        throw(np.random.default_rng(stream), parts[name], settings.size)
        for name, stream in zip(SPLIT_NAMES, streams, strict=True)
    ]
    images = np.concatenate([images for images, _ in drawn])
    targets = np.concatenate([targets for _, targets in drawn])
    info = DatasetInfo(
        task=REGRESSION,
        classes=None,
        unit="throws",
        image_shape=list(images.shape[1:]),
        parts=parts,
        origin=f"generated: seed {settings.seed}, {settings.size}x{settings.size} cells",
    )
    return images, targets, info


def throw(rng: np.random.Generator, count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Throw dots as the lecture does: n uniform in 0..size²-1, then n uniform cells.

    Two throws may hit one cell, so a picture shows at most as many dots as were thrown.

    Args:
        rng: the random stream.
        count: how many pictures.
        size: cells along each side.

    Returns:
        images: uint8, (count, size, size, 1), 0 or 255.
        throws: float32, (count,).
    """
    throws = rng.integers(0, size * size, count)
    cells = rng.integers(0, size * size, throws.sum())
    images = np.zeros((count, size * size), np.uint8)
    images[np.repeat(np.arange(count), throws), cells] = LIT
    return images.reshape(count, size, size, 1), throws.astype(np.float32)
