"""Grouping pictures that belong together, in groups that stay small."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# the share of a class up to which near-duplicates of near-duplicates are kept together
MAX_CHAIN_SHARE = 0.1
# of a chain that is cut, near-duplicates of one picture are sought as long as there are so many, as a share
MIN_STAR_SHARE = 0.02


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


def split_by(keys: np.ndarray) -> list[np.ndarray]:
    """Split positions by their key, (N,), in order of the keys.

    >>> split_by(np.array([5, 3, 5]))
    [array([1]), array([0, 2])]
    """
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def group_pairs(
    pairs: np.ndarray, closeness: np.ndarray, strata: np.ndarray, compare: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Group near-duplicates, so that no chain of different pictures becomes one large group.

    A chain that holds at most MAX_CHAIN_SHARE of every class is one group. A longer one is cut: first the
    near-duplicates of one picture become a group, whatever their number; then the closest groups are joined,
    up to that share.

    Args:
        pairs: int64, (P, 2), near-duplicates.
        closeness: (P,), higher is more alike.
        strata: int64 (N,), the class of each, or all the same.
        compare: takes other pairs; returns more than 0 for near-duplicates.

    Returns:
        int64, (N,), for each the picture that its group is called by.
    """
    limits = {number: max(1, MAX_CHAIN_SHARE * count) for number, count in Counter(strata.tolist()).items()}

    def is_large(classes: Counter[int]) -> bool:
        return any(count > limits[number] for number, count in classes.items())

    chains = link_pairs(len(strata), map(tuple, pairs.tolist()))
    roots = chains.copy()
    for members in split_by(chains):
        if len(members) > 2 and is_large(Counter(strata[members].tolist())):
            inside = chains[pairs[:, 0]] == members[0]
            order = np.argsort(-closeness[inside], kind="stable")
            roots[members] = members
            _make_stars(roots, members, pairs[inside], compare)
            _join(roots, members, pairs[inside][order], strata, is_large)
    return roots


def _make_stars(
    roots: np.ndarray, members: np.ndarray, pairs: np.ndarray, compare: Callable[[np.ndarray], np.ndarray]
) -> None:
    """Group what is a near-duplicate of one picture: the one that has most, again and again."""
    left = np.zeros(len(roots), bool)
    left[members] = True
    while True:
        pairs = pairs[left[pairs].all(axis=1)]
        degrees = np.bincount(pairs.ravel(), minlength=len(roots))
        centre = int(np.argmax(degrees))
        others = np.flatnonzero(left)
        others = others[others != centre]
        if not degrees[centre]:
            return
        alike = others[compare(np.stack([np.full(len(others), centre), others], axis=1)) > 0]
        if len(alike) < max(1, MIN_STAR_SHARE * len(members)):
            return
        roots[alike] = roots[centre] = centre
        left[alike] = left[centre] = False


def _join(
    roots: np.ndarray,
    members: np.ndarray,
    pairs: np.ndarray,
    strata: np.ndarray,
    is_large: Callable[[Counter[int]], bool],
) -> None:
    """Join groups that near-duplicates connect, the closest first, as long as they stay small."""
    groups: dict[int, list[int]] = {}
    for number in members.tolist():
        groups.setdefault(int(roots[number]), []).append(number)
    classes = {root: Counter(strata[numbers].tolist()) for root, numbers in groups.items()}
    for first, second in pairs.tolist():
        kept, joined = sorted((int(roots[first]), int(roots[second])), key=lambda root: (-len(groups[root]), root))
        if kept != joined and not is_large(together := classes[kept] + classes[joined]):
            roots[groups[joined]] = kept
            groups[kept] += groups.pop(joined)
            classes[kept] = together
