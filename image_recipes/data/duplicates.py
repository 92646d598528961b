"""Finding near-duplicates without comparing each picture with every other.

Two pictures are near-duplicates if they show the same, but for their compression, size, brightness
and contrast. All bounds follow the contrast of the two, so that pale pictures differ as others do.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

from image_recipes.data.cells import CELLS, PARTS, to_cells

# a picture whose values have a lower standard deviation, in levels, is nearly blank
BLANK_DEVIATION = 2.0
# cells of near-duplicates: their correlation, and the most that a single one differs, in standard
# deviations, so that a badge or a digit counts that is small
MIN_CORRELATION, MAX_DEVIATIONS = 0.98, 0.6
# what may have been changed: the ratio of the standard deviations, and the mean of a channel, in levels
MAX_CONTRAST_RATIO, MAX_MEAN_LEVELS = 1.2, 32.0
# pixels of near-duplicates correlate, or the edges that the more blurred one has are also in the other
MIN_PIXEL_CORRELATION, MIN_COMMON_EDGES = 0.97, 0.9
# what compression changes besides, in levels, which counts where there is little contrast: cells on
# average, a single one, and pixels on average, as root mean squares
CELL_NOISE, MAX_CELL_NOISE, PIXEL_NOISE = 0.7, 2.0, 2.5
# of nearly blank pictures, in levels: the mean, and a single cell without it
MAX_BLANK_MEAN, MAX_BLANK_CELL = 2.0, 0.5
# each picture is compared with so many of those that are most alike: bounds the work where all
# look much alike, as a camera's that does not move
NEIGHBOURS = 16
# coordinates of the sketches by which those are found; the mean is one, of this weight where it
# differs by MAX_MEAN_LEVELS
SKETCH_SIZE, MEAN_WEIGHT = 12, 0.1
RADIUS = float(np.hypot(np.sqrt(2 * (1 - MIN_CORRELATION)), MEAN_WEIGHT))
# pictures that are in memory at once, in bytes
BLOCK_BYTES = 2**24


class NearDuplicates(NamedTuple):
    """Pairs of pictures that look alike.

    Attributes:
        same: int64 (N,), for each picture the first one that has equal pixels: itself, if no other.
        pairs: int64 (P, 2), near-duplicates among the first ones, the lower first, sorted.
        closeness: float64 (P,), the correlation of their cells, 1 for blank ones.
    """

    same: np.ndarray
    pairs: np.ndarray
    closeness: np.ndarray


class Looks:
    """What pictures look like, to compare them.

    Args:
        pictures: uint8, (N, H, W, C), may be memory-mapped.
        boxes: int64, (N, 4), where their content lies, as `content_boxes` returns them.
    """

    def __init__(self, pictures: np.ndarray, boxes: np.ndarray) -> None:
        self.pictures = pictures
        count, *shape = pictures.shape
        self._at_once = max(1, BLOCK_BYTES // int(np.prod(shape)))
        self._cells = np.empty((count, CELLS * CELLS * shape[-1]), np.uint16)
        self._means = np.empty((count, shape[-1]), np.float32)
        self._deviations = np.empty(count)
        self._blank = np.zeros(count, bool)
        digests: list[bytes] = []
        for start in range(0, count, self._at_once):
            part = slice(start, start + self._at_once)
            block = np.ascontiguousarray(pictures[part])
            digests += [hashlib.sha256(picture).digest()[:16] for picture in block]
            self._cells[part] = to_cells(block, boxes[part])
            self._means[part] = self._levels(part).mean(axis=1)
            self._deviations[part] = self._centred(part).std(axis=1)
            plain = np.flatnonzero(self._deviations[part] < BLANK_DEVIATION)
            self._blank[start + plain[_spread(block[plain], boxes[start + plain]) < BLANK_DEVIATION]] = True
        first: dict[bytes, int] = {}
        self.same = np.array([first.setdefault(digest, number) for number, digest in enumerate(digests)], np.int64)

    def closeness(self, pairs: np.ndarray) -> np.ndarray:
        """Return how alike pictures are that are near-duplicates, else 0.

        Args:
            pairs: int64, (P, 2).

        Returns:
            float64, (P,), from 0 to 1.
        """
        close = np.concatenate(
            [np.empty(0), *(self._by_cells(pairs[n : n + self._at_once]) for n in range(0, len(pairs), self._at_once))]
        )
        # blank ones have no more to compare
        rest = np.flatnonzero((close > 0) & ~self._blank[pairs].any(axis=1))
        for start in range(0, len(rest), self._at_once):
            part = rest[start : start + self._at_once]
            close[part] *= _alike_in_detail(self.pictures[pairs[part, 0]], self.pictures[pairs[part, 1]])
        return close

    def _levels(self, which: slice | np.ndarray) -> np.ndarray:
        return self._cells[which].reshape(-1, CELLS * CELLS, self._means.shape[1]).astype(np.float32) / PARTS

    def _centred(self, which: slice | np.ndarray) -> np.ndarray:
        """Return cells without the mean of each channel: a colour that is everywhere tells nothing of what is seen."""
        return (self._levels(which) - self._means[which, None]).reshape(len(self._means[which]), -1)

    def _by_cells(self, pairs: np.ndarray) -> np.ndarray:
        first, second = pairs.T
        a, b = self._centred(first), self._centred(second)
        mean = np.abs(self._means[first] - self._means[second]).max(axis=1)
        blank = self._blank[first] & self._blank[second] & (mean <= MAX_BLANK_MEAN)
        blank &= np.abs(a - b).max(axis=1) <= MAX_BLANK_CELL
        deviations = np.maximum(self._deviations, 1e-6)
        a, b = a / deviations[first, None], b / deviations[second, None]
        correlation = np.clip((a * b).mean(axis=1), 0, 1)
        ratio = np.maximum(deviations[first], deviations[second]) / np.minimum(deviations[first], deviations[second])
        deviation = np.minimum(deviations[first], deviations[second])
        alike = np.sqrt(2 - 2 * correlation) <= np.sqrt(2 - 2 * MIN_CORRELATION) + CELL_NOISE / deviation
        alike &= np.abs(a - b).max(axis=1) <= MAX_DEVIATIONS + MAX_CELL_NOISE / deviation
        alike &= (ratio <= MAX_CONTRAST_RATIO) & (mean <= MAX_MEAN_LEVELS) & ~self._blank[first] & ~self._blank[second]
        return np.where(blank, 1.0, np.where(alike, correlation, 0.0))

    def sketches(self) -> np.ndarray:
        """Return points that are at most RADIUS apart for near-duplicates, float32 (N, D)."""
        shape = (-1, CELLS // 2, 2, CELLS // 2, 2, self.pictures.shape[-1])
        points = np.empty((len(self._means), (CELLS // 2) ** 2 + 1), np.float32)
        for start in range(0, len(points), self._at_once):
            part = slice(start, start + self._at_once)
            coarse = self._centred(part).reshape(shape).mean(axis=(2, 4, 5)).reshape(-1, points.shape[1] - 1)
            scale = np.maximum(self._deviations[part], BLANK_DEVIATION)[:, None] * (CELLS // 2)
            points[part, :-1] = coarse / scale
        points[self._blank, :-1] = 0
        points[:, -1] = self._means.mean(axis=1) / MAX_MEAN_LEVELS * MEAN_WEIGHT
        points -= points.mean(axis=0)
        # turned so that the first coordinates tell most: a tree needs no others
        _, axes = np.linalg.eigh(points.T @ points)
        return points @ axes[:, : -SKETCH_SIZE - 1 : -1]


def find_near_duplicates(looks: Looks) -> NearDuplicates:
    """Find pairs of near-duplicates.

    Of equal pictures only the first takes part. Each of the others is compared with the
    NEIGHBOURS that are nearest by a coarse sketch.

    Args:
        looks: of the pictures.
    """
    numbers = np.unique(looks.same)
    if len(numbers) < 2:
        return NearDuplicates(looks.same, np.empty((0, 2), np.int64), np.empty(0))
    points = looks.sketches()[numbers]
    nearest = KDTree(points).query(points, min(NEIGHBOURS + 1, len(numbers)), distance_upper_bound=RADIUS, workers=-1)[
        1
    ]
    first = np.repeat(np.arange(len(numbers)), nearest.shape[1])
    second = nearest.ravel()
    found = (second < len(numbers)) & (first != second)
    pairs = np.unique(np.sort(numbers[np.stack([first[found], second[found]], axis=1)], axis=1), axis=0)
    closeness = looks.closeness(pairs)
    return NearDuplicates(looks.same, pairs[closeness > 0], closeness[closeness > 0])


def _spread(pictures: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the content of pictures, in levels, (N,)."""
    height, width = pictures.shape[1:3]
    row, column = np.arange(height)[:, None], np.arange(width)
    top, left, box_height, box_width = boxes[:, :, None, None].transpose(1, 0, 2, 3)
    inside = (row >= top) & (row < top + box_height) & (column >= left) & (column < left + box_width)
    values = pictures.astype(np.float32) * inside[..., None]
    pixels = inside.sum(axis=(1, 2))[:, None]
    # of each channel
    variances = (values**2).sum(axis=(1, 2)) / pixels - (values.sum(axis=(1, 2)) / pixels) ** 2
    return np.sqrt(np.maximum(variances.mean(axis=1), 0))


def _alike_in_detail(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Tell of pictures whose cells are alike whether their pixels are, too, (P,).

    One may be more blurred, as a smaller copy is: then all its edges are edges of the other.
    """
    a, b = first.astype(np.float32), second.astype(np.float32)
    common, edges_a, edges_b = np.zeros((3, len(a)))
    for axis in (1, 2):
        step_a, step_b = np.diff(a, axis=axis), np.diff(b, axis=axis)
        common += np.einsum("nhwc,nhwc->n", step_a, step_b)
        edges_a += np.einsum("nhwc,nhwc->n", step_a, step_a)
        edges_b += np.einsum("nhwc,nhwc->n", step_b, step_b)
    a -= a.mean(axis=(1, 2), keepdims=True)
    b -= b.mean(axis=(1, 2), keepdims=True)
    product = np.einsum("nhwc,nhwc->n", a, b)
    power_a, power_b = np.einsum("nhwc,nhwc->n", a, a), np.einsum("nhwc,nhwc->n", b, b)
    return (
        (product >= MIN_PIXEL_CORRELATION * np.sqrt(power_a * power_b))
        | (common >= MIN_COMMON_EDGES * np.minimum(edges_a, edges_b))
        | (power_a + power_b - 2 * product <= PIXEL_NOISE**2 * first[0].size)
    )
