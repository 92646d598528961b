"""Groups of near-duplicates: short chains stay together, long ones are cut where it costs least."""

import numpy as np

from image_recipes.data.groups import MAX_CHAIN_SHARE, group_pairs, link_pairs, pairs_of_equal


def chain(numbers: range) -> np.ndarray:
    return np.array([(number, number + 1) for number in numbers[:-1]], np.int64).reshape(-1, 2)


def next_to(pairs: np.ndarray) -> np.ndarray:
    return (np.abs(pairs[:, 0] - pairs[:, 1]) <= 1).astype(float)


def test_links_go_through_others() -> None:
    # two chains, given out of order, and 7 with itself
    roots = link_pairs(8, iter([(5, 2), (2, 0), (6, 5), (3, 4), (7, 7)]))

    assert roots.tolist() == [0, 1, 0, 3, 3, 0, 0, 7]
    assert link_pairs(3, []).tolist() == [0, 1, 2]


def test_equal_texts_are_paired_and_empty_ones_passed_over() -> None:
    pairs = list(pairs_of_equal(np.array(["b", "", "a", "b", "", "b"])))

    assert pairs == [(0, 3), (3, 5)]


def test_a_short_chain_is_one_group() -> None:
    pairs = chain(range(100, 150))

    roots = group_pairs(pairs, np.ones(len(pairs)), np.zeros(1_000, int), next_to)

    assert set(roots[100:150]) == {100}
    assert (np.delete(roots, range(100, 150)) == np.delete(np.arange(1_000), range(100, 150))).all()


def test_a_long_chain_is_cut_into_few_pieces() -> None:
    # a camera that turns slowly: each frame is like the next one only
    pairs = chain(range(1_000))

    roots = group_pairs(pairs, np.linspace(1, 0.98, len(pairs)), np.zeros(1_000, int), next_to)

    _, sizes = np.unique(roots, return_counts=True)
    assert sizes.max() <= MAX_CHAIN_SHARE * 1_000
    cut = np.sum(roots[pairs[:, 0]] != roots[pairs[:, 1]])
    assert cut <= 20


def test_near_duplicates_of_one_picture_stay_together_however_many() -> None:
    # 300 of 1,000 are like picture 500, and a chain of 200 hangs on them
    stars = np.array([(500, number) for number in range(600, 900)])
    pairs = np.concatenate([stars[:40], chain(range(600, 900)), chain(range(300, 501))])

    def compare(asked: np.ndarray) -> np.ndarray:
        low, high = np.sort(asked, axis=1).T
        return ((low == 500) & (high >= 600) & (high < 900) | (high - low == 1) & (high <= 500)).astype(float)

    roots = group_pairs(np.sort(pairs, axis=1), np.ones(len(pairs)), np.zeros(1_000, int), compare)

    assert set(roots[600:900]) == {500}
    assert max(np.sum(roots == root) for root in set(roots[300:499])) <= 100


def test_the_smallest_class_limits_a_chain() -> None:
    strata = np.repeat([0, 1], [980, 20])
    pairs = chain(range(970, 990))

    roots = group_pairs(pairs, np.ones(len(pairs)), strata, next_to)

    assert max(np.sum(strata[roots == root] == 1) for root in set(roots)) <= 3
