"""Feeding: every epoch sees every picture once, in an order that the seed decides; memory changes nothing."""

import numpy as np
import pytest

from image_recipes.core.dataset import Subset
from image_recipes.core.errors import UserError
from image_recipes.models import feeding
from image_recipes.models.backend import keras
from image_recipes.models.feeding import (
    MEMORY_VARIABLE,
    Feed,
    evaluation_batches,
    evaluation_feed,
    fits_in_memory,
    shuffled_feed,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (70, 4, 4, 1), dtype=np.uint8)


def executions(feed: Feed, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the pictures and targets of the first executions, in the order in which steps take them."""
    taken = []
    for element in feed.executions.take(count):
        images, targets, order = feed.unpack(*element)
        taken.append((images.numpy()[order.numpy()], targets.numpy()[order.numpy()]))
    return taken


@pytest.mark.parametrize("resident", [True, False])
def test_every_epoch_sees_every_picture_once_in_another_order(resident: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "EXECUTION_BYTES", 40)  # two batches of one byte a picture
    # the subset lies in the file in an order of its own
    indices = np.arange(50)[::-1]
    feed = shuffled_feed(Subset(np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1), indices, indices), 16, 9, resident)

    images, targets = zip(*executions(feed, 6), strict=True)

    assert feed.per_epoch == 2
    assert [len(batches) for batches in images] == [32, 18] * 3
    np.testing.assert_array_equal(np.concatenate(images).ravel(), np.concatenate(targets))
    epochs = np.concatenate(targets).reshape(3, 50)
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_the_seed_decides_the_order() -> None:
    def order(seed: int) -> list[int]:
        feed = shuffled_feed(Subset(IMAGES, np.arange(70), np.arange(70)), 16, seed, resident=True)
        return executions(feed, 1)[0][1].tolist()

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(2**32 - 1)) == list(range(70))


def test_evaluation_goes_through_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = Subset(IMAGES, np.arange(60), np.arange(10, 70))
    monkeypatch.setattr(feeding, "EVALUATION_BYTES", 32 * 16)
    monkeypatch.setattr(feeding, "EXECUTION_BYTES", 32 * 16)

    passes = [executions(evaluation_feed(pictures, 25, resident), 9) for resident in (True, False)]
    passes.append([(x.numpy(), y.numpy()) for x, y in evaluation_batches(pictures, keras.Sequential())])

    assert [[len(targets) for _, targets in done] for done in passes] == [[25, 25, 10], [25, 25, 10], [32, 28]]
    for done in passes:
        np.testing.assert_array_equal(np.concatenate([images for images, _ in done]), IMAGES[10:])
        np.testing.assert_array_equal(np.concatenate([targets for _, targets in done]), np.arange(60))


def test_pictures_fit_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    subsets = [Subset(IMAGES, np.zeros(size), np.arange(size)) for size in (50, 20)]
    exactly = 70 * 16 / 2**30

    for memory, fits in [(str(exactly), True), (str(exactly * 0.99), False), ("", True)]:
        monkeypatch.setenv(MEMORY_VARIABLE, memory)
        assert fits_in_memory(*subsets) == fits, memory
    monkeypatch.setenv(MEMORY_VARIABLE, "1 GiB")
    with pytest.raises(UserError, match=r"IMAGE_RECIPES_MEMORY_GIB: give a number of GiB, such as 0\.5, not '1 GiB'"):
        fits_in_memory(*subsets)
