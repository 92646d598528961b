"""Dots: thrown as the lecture throws them, the same for the same seed."""

import numpy as np

from image_recipes.data.dots import DotsDataset, generate_dots, throw
from image_recipes.data.splits import SplitSizes


def dots_settings(seed: int = 0, train: int = 50, validation: int = 20, test: int = 30) -> DotsDataset:
    split = SplitSizes(train=train, validation=validation, test=test)
    return DotsDataset(
        source="dots", task="regression", raw="generated", seed=seed, size=16, samples="train", split=split
    )


def test_dots_follow_the_theory() -> None:
    count = 20_000
    images, throws = throw(np.random.default_rng(1), count, 16)
    lit = (images == 255).sum(axis=(1, 2, 3))

    assert images.shape == (count, 16, 16, 1)
    assert set(np.unique(images)) == {0, 255}
    assert (throws.min(), throws.max()) == (0, 255)
    assert throws.dtype == np.float32
    # uniform on 0..255: mean 127.5, standard deviation 73.9, so 0.52 for the mean of 20,000
    assert abs(throws.mean() - 127.5) < 4 * 0.52
    # never more lit cells than throws, and as many as throws hit different cells on average
    assert (lit <= throws).all()
    expected = 256 * (1 - (255 / 256) ** throws)
    assert abs((lit - expected).mean()) < 0.15
    # every cell is as likely as any other
    share = (images[..., 0] == 255).mean(axis=0)
    assert share.std() < 0.006


def test_counting_lit_cells_is_not_reading_the_label() -> None:
    images, throws = throw(np.random.default_rng(2), 20_000, 16)
    lit = (images == 255).sum(axis=(1, 2, 3))

    # 1944 in expectation
    assert 1850 < ((lit - throws) ** 2).mean() < 2050


def test_another_test_size_leaves_the_training_pictures_alone() -> None:
    images, targets, _ = generate_dots(dots_settings())
    more_images, more_targets, info = generate_dots(dots_settings(test=300))

    np.testing.assert_array_equal(images[:70], more_images[:70])
    np.testing.assert_array_equal(targets[:70], more_targets[:70])
    assert info.parts == {"train": 50, "validation": 20, "test": 300}


def test_the_seed_decides_the_dots() -> None:
    first, again, other = (generate_dots(dots_settings(seed))[0] for seed in (5, 5, 6))

    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
