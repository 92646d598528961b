"""What can be predicted by knowing how pictures are made, where that is known: no network is needed for it."""

from collections.abc import Callable

import numpy as np

from image_recipes.core.dataset import Subset

# by name, predictions of float (N, 1) or (N, classes), and figures to keep beside their metrics
References = dict[str, tuple[np.ndarray, dict[str, float]]]


def predict_references(source: str, pictures: Subset) -> References:
    """Predict pictures by what is known of how their source makes them: nothing, for most.

    Args:
        source: the dataset's, as in params.yaml.
        pictures: as they are prepared.
    """
    return REFERENCES[source](pictures) if source in REFERENCES else {}


def predict_throws(pictures: Subset) -> References:
    """Predict the throws from the number of lit cells, knowing how pictures are made.

    Returns:
        By name, predictions of float (N, 1), and what is known of them over all pictures:
        `lit_cells`, by inversion; `best_possible`, with its `expected_mse`, below which no
        predictor can get.
    """
    height, width, _ = pictures.picture_shape
    cells = height * width
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


REFERENCES: dict[str, Callable[[Subset], References]] = {"dots": predict_throws}
