"""Finding near-duplicates without comparing each picture with every other."""

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# the fingerprints of near-duplicates differ in no more of their 64 bits, as after another JPEG
# compression, and their values, on average, in no more of 255 levels
MAX_DIFFERENT_BITS = 3
MAX_MEAN_LEVELS = 6.0
BANDS, BAND_BITS = MAX_DIFFERENT_BITS + 1, 64 // (MAX_DIFFERENT_BITS + 1)
# of the pictures that share a band, each is compared with so many of about its brightness:
# bounds the work where all pictures look much alike, as a camera's that does not move
NEIGHBOURS = 16
# pictures that are in memory at once, in bytes
BLOCK_BYTES = 2**24


def find_near_duplicates(pictures: np.ndarray, fingerprints: np.ndarray) -> Iterator[tuple[int, int]]:
    """Find pairs of near-duplicates.

    Fingerprints that differ in at most MAX_DIFFERENT_BITS bits are equal in at least one of
    MAX_DIFFERENT_BITS + 1 bands, and pictures that differ by MAX_MEAN_LEVELS are as near in brightness. So
    each is compared only with neighbours in brightness that share a band.

    Args:
        pictures: uint8, (N, H, W, C), may be memory-mapped.
        fingerprints: uint64, (N,).

    Yields:
        Pairs of positions, the lower first.
    """
    if not len(pictures):
        return
    at_once = max(1, BLOCK_BYTES // pictures[0].nbytes)
    starts = range(0, len(pictures), at_once)
    brightness = np.concatenate([pictures[start : start + at_once].mean(axis=(1, 2, 3)) for start in starts])
    pairs = np.unique(np.concatenate(list(_candidates(fingerprints, brightness))), axis=0)
    for start in range(0, len(pairs), at_once):
        first, second = pairs[start : start + at_once].T
        levels = np.abs(pictures[first].astype(np.int16) - pictures[second]).mean(axis=(1, 2, 3))
        yield from pairs[start : start + at_once][levels <= MAX_MEAN_LEVELS].tolist()


def _candidates(fingerprints: np.ndarray, brightness: np.ndarray) -> Iterator[np.ndarray]:
    yield np.empty((0, 2), np.int64)
    for band in range(BANDS):
        keys = (fingerprints >> np.uint64(band * BAND_BITS)) & np.uint64(2**BAND_BITS - 1)
        order = np.lexsort((brightness, keys))
        keys, prints, light = keys[order], fingerprints[order], brightness[order]
        for step in range(1, min(NEIGHBOURS + 1, len(order))):
            near = (
                (keys[:-step] == keys[step:])
                & (light[step:] - light[:-step] <= MAX_MEAN_LEVELS)
                & (np.bitwise_count(prints[:-step] ^ prints[step:]) <= MAX_DIFFERENT_BITS)
            )
            yield np.sort(np.stack([order[:-step][near], order[step:][near]], axis=1), axis=1)


def link_pairs(count: int, pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    """Link numbers that are in a pair, through others too.

    Args:
        count: how many numbers there are, from 0.
        pairs: of two numbers each.

    Returns:
        int64, (count,), the lowest number that each is linked with.

    >>> link_pairs(5, [(3, 1), (4, 3)])
    array([0, 1, 2, 1, 1])
    """
    first, second = np.array(list(pairs), np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(first), bool), (first, second)), (count, count))
    _, groups = connected_components(graph, directed=False)
    _, lowest = np.unique(groups, return_index=True)
    return lowest[groups].astype(np.int64)


def pairs_of_equal(keys: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pair each position with the next one of the same key; empty keys are passed over.

    Args:
        keys: texts, (N,).
    """
    order = np.argsort(keys, kind="stable")
    same = (keys[order][1:] == keys[order][:-1]) & (keys[order][1:] != "")
    yield from zip(order[:-1][same].tolist(), order[1:][same].tolist(), strict=True)
