"""Near-duplicates: those that comparing all pairs would find, at bounded cost."""

import io

import numpy as np
from PIL import Image

from image_recipes.data.decode import Region, Shape, decode
from image_recipes.data.duplicates import NEIGHBOURS, find_near_duplicates, link_pairs, pairs_of_equal
from pictures import noise


def fingerprint(picture: np.ndarray) -> int:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    whole = Region(left=0, top=0, right=1, bottom=1)
    height, width, _ = picture.shape
    decoded = decode(stream.getvalue(), Shape(height, width, 3, "stretch", whole))
    np.testing.assert_array_equal(decoded.picture, picture)
    return decoded.fingerprint


def test_near_duplicates_are_those_that_all_pairs_give() -> None:
    random = np.random.default_rng(0)
    pictures = np.stack([np.asarray(noise(seed, (24, 24))) for seed in range(150)])
    # five slightly altered copies of ten of them
    altered = [pictures[number].astype(int) + random.normal(0, 3, pictures[0].shape) for number in range(10)] * 5
    pictures = np.concatenate([pictures, np.stack(altered).clip(0, 255).astype(np.uint8)])
    prints = np.array([fingerprint(picture) for picture in pictures], np.uint64)

    pairs = set(map(tuple, find_near_duplicates(pictures, prints)))

    alike = {
        (first, second)
        for second in range(200)
        for first in range(second)
        if int(prints[first] ^ prints[second]).bit_count() <= 3
        and np.abs(pictures[first].astype(int) - pictures[second]).mean() <= 6
    }
    assert len(alike) > 50
    assert pairs == alike


def test_blank_pictures_are_no_burden() -> None:
    # all have one fingerprint; those of one brightness are alike
    levels = np.repeat(np.arange(0, 250, 25, dtype=np.uint8), 500)
    pictures = levels[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)

    pairs = list(find_near_duplicates(pictures, np.zeros(len(pictures), np.uint64)))

    # each with so many others, not with all 499
    assert len(pairs) < len(pictures) * NEIGHBOURS
    assert np.unique(link_pairs(len(pictures), pairs), return_counts=True)[1].tolist() == [500] * 10


def test_links_go_through_others() -> None:
    # two chains, given out of order, and 7 with itself
    roots = link_pairs(8, iter([(5, 2), (2, 0), (6, 5), (3, 4), (7, 7)]))

    assert roots.tolist() == [0, 1, 0, 3, 3, 0, 0, 7]
    assert link_pairs(3, []).tolist() == [0, 1, 2]


def test_equal_texts_are_paired_and_empty_ones_passed_over() -> None:
    pairs = list(pairs_of_equal(np.array(["b", "", "a", "b", "", "b"])))

    assert pairs == [(0, 3), (3, 5)]
