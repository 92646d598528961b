"""Finding pictures that are nearly the same, without comparing each with every other."""

from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image

# of the 64 bits of a fingerprint: that many may differ, as after another JPEG compression
MAX_BITS = 3
# and the pictures themselves, on average over all values, by that many of 255 levels
MAX_LEVELS = 6.0
BANDS, BAND_BITS = MAX_BITS + 1, 64 // (MAX_BITS + 1)
# of the pictures that share a band, each is compared with so many of about its brightness:
# bounds the work where all pictures look much alike, as a camera's that does not move
NEIGHBOURS = 16
# pictures that are in memory at once, in bytes
BLOCK_BYTES = 2**24


def fingerprint(image: Image.Image) -> int:
    """Return the difference hash of a picture: is each of 8 x 8 cells brighter than the next?

    Pictures that look alike differ in few of its 64 bits (N. Krawetz, "Kind of Like That",
    2013).
    """
    cells = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX)).astype(np.int16)
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")


def find_near_duplicates(pictures: np.ndarray, fingerprints: np.ndarray) -> Iterator[tuple[int, int]]:
    """Find pairs of pictures that are nearly the same.

    Fingerprints that differ in at most MAX_BITS bits are equal in at least one of
    MAX_BITS + 1 bands, and pictures that differ by MAX_LEVELS are as near in brightness. So
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
        yield from pairs[start : start + at_once][levels <= MAX_LEVELS].tolist()


def _candidates(fingerprints: np.ndarray, brightness: np.ndarray) -> Iterator[np.ndarray]:
    yield np.empty((0, 2), np.int64)
    for band in range(BANDS):
        keys = (fingerprints >> np.uint64(band * BAND_BITS)) & np.uint64(2**BAND_BITS - 1)
        order = np.lexsort((brightness, keys))
        keys, prints, light = keys[order], fingerprints[order], brightness[order]
        for step in range(1, min(NEIGHBOURS + 1, len(order))):
            near = (
                (keys[:-step] == keys[step:])
                & (light[step:] - light[:-step] <= MAX_LEVELS)
                & (np.bitwise_count(prints[:-step] ^ prints[step:]) <= MAX_BITS)
            )
            yield np.sort(np.stack([order[:-step][near], order[step:][near]], axis=1), axis=1)


def link(count: int, pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    """Link numbers that are in a pair, through others too.

    Args:
        count: how many numbers there are, from 0.
        pairs: of two numbers each.

    Returns:
        int64, (count,), the lowest number that each is linked with.
    """
    parent = list(range(count))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    return np.array([root(number) for number in range(count)], np.int64)


def pairs_of_equal(keys: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pair each position with the next one of the same key; empty keys are passed over.

    Args:
        keys: texts, (N,).
    """
    order = np.argsort(keys, kind="stable")
    same = (keys[order][1:] == keys[order][:-1]) & (keys[order][1:] != "")
    yield from zip(order[:-1][same].tolist(), order[1:][same].tolist(), strict=True)
