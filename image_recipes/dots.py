"""The source `dots`: pictures of dots thrown at random; the label is the number of throws."""

from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import Field

from image_recipes.datasets import DatasetInfo, Subset
from image_recipes.params import Section, Seed, Split, SplitName, Text

LIT = 255  # so that scaling by 1/255 gives the lecture's 0 and 1


class DotsDataset(Section):
    """Dots thrown at random on a square grid; the label is the number of throws."""

    source: Literal["dots"]
    task: Literal["regression"]
    raw: Text
    seed: Seed
    # cells along each side
    size: Annotated[int, Field(ge=1, le=100)]
    samples: SplitName
    split: Split


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
        for name, stream in zip(get_args(SplitName), streams, strict=True)
    ]
    images = np.concatenate([images for images, _ in drawn])
    targets = np.concatenate([targets for _, targets in drawn])
    info = DatasetInfo(
        task="regression",
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


def predict_dots(settings: DotsDataset, pictures: Subset) -> dict[str, tuple[np.ndarray, dict[str, float]]]:
    """Predict the throws from the number of lit cells, knowing how pictures are made.

    Returns:
        By name, predictions of float (N, 1), and what is known of them over all pictures:
        `lit_cells`, by inversion; `best_possible`, with its `expected_mse`, below which no
        predictor can get.
    """
    cells = settings.size**2
    lit = np.count_nonzero(pictures.read(), axis=(1, 2, 3))
    return {
        "lit_cells": (predict_by_inversion(lit, cells)[:, np.newaxis], {}),
        "best_possible": (predict_best(lit, cells)[:, np.newaxis], {"expected_mse": float(f"{best_mse(cells):.7g}")}),
    }


def predict_best(lit: np.ndarray, cells: int) -> np.ndarray:
    """Predict the number of throws as well as can be: its mean, given how many cells are lit.

    Args:
        lit: whole numbers, (N,), lit cells.
        cells: of a picture; throws are uniform in 0..cells-1.

    Returns:
        float64, (N,).
    """
    return _best(*_moments(cells)[:2])[lit]


def predict_by_inversion(lit: np.ndarray, cells: int) -> np.ndarray:
    """Predict the number of throws for which as many cells are lit on average, at most cells-1.

    n throws light cells * (1 - (1 - 1/cells)^n) cells on average.

    Args:
        lit: whole numbers, (N,), lit cells.
        cells: of a picture.

    Returns:
        float64, (N,).
    """
    if cells == 1:
        return np.zeros(len(lit))
    with np.errstate(divide="ignore"):
        throws = np.log1p(-lit / cells) / np.log1p(-1 / cells)
    return np.minimum(throws, cells - 1)


def best_mse(cells: int) -> float:
    """Return the mean squared error of the best possible predictor, over all pictures.

    It is the mean variance of the throws given the lit cells.
    """
    weight, first, second = _moments(cells)
    return float(np.sum(second - first * _best(weight, first)))


def _best(weight: np.ndarray, first: np.ndarray) -> np.ndarray:
    # a number of lit cells so unlikely that its chance is too small for a float stays itself
    return np.divide(first, weight, out=np.arange(len(weight), dtype=float), where=weight > 0)


def _moments(cells: int) -> np.ndarray:
    """Return the sums of P(n, k), n P(n, k) and n² P(n, k) over the throws n, for each k lit cells.

    By the occupancy recursion: one more throw hits one of the k lit cells, or one that was not lit,
    P(k | n+1) = P(k | n) k / cells + P(k-1 | n) (cells - k + 1) / cells.
    """
    lit = np.arange(cells)
    chances = np.zeros(cells)
    chances[0] = 1.0
    sums = np.zeros((3, cells))
    for throws in range(cells):
        sums += np.array([[1.0], [throws], [throws**2]]) * chances / cells
        chances = chances * lit / cells + np.roll(chances, 1) * (cells - lit + 1) / cells * (lit > 0)
    return sums
