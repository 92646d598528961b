"""Datasets: MNIST as published, dots as the lecture throws them, splits that do not overlap."""

import io
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from conftest import ROOT

from image_recipes.datasets import DatasetInfo, load_prepared, load_split, save_prepared, save_split, split_indices
from image_recipes.dots import DotsDataset, generate_dots, throw
from image_recipes.errors import UserError
from image_recipes.mnist import MnistDataset, read_mnist
from image_recipes.params import Split

MNIST = ROOT / "data/raw/mnist.npz"
INFO = DatasetInfo("regression", None, "things", [2, 2, 1], {"train": 3}, "a test")


def mnist_settings(raw: Path = MNIST) -> MnistDataset:
    split = Split(train=50_000, validation=10_000, test=10_000)
    return MnistDataset(source="mnist", task="classification", raw=str(raw), samples="test", split=split)


def dots_settings(seed: int = 0, train: int = 50, validation: int = 20, test: int = 30) -> DotsDataset:
    split = Split(train=train, validation=validation, test=test)
    return DotsDataset(
        source="dots", task="regression", raw="dots.py", seed=seed, size=16, samples="train", split=split
    )


def test_mnist_is_split_in_the_published_order() -> None:
    images, targets, info = read_mnist(mnist_settings())
    indices = split_indices(info.parts, mnist_settings().split.model_dump())

    assert images.shape == (70_000, 28, 28, 1)
    assert images.dtype == np.uint8
    assert {name: len(array) for name, array in indices.items()} == {
        "train": 50_000,
        "validation": 10_000,
        "test": 10_000,
    }
    with np.load(MNIST) as published:
        np.testing.assert_array_equal(images[indices["train"], ..., 0], published["x_train"][:50_000])
        np.testing.assert_array_equal(images[indices["validation"], ..., 0], published["x_train"][50_000:])
        np.testing.assert_array_equal(images[indices["test"], ..., 0], published["x_test"])
        np.testing.assert_array_equal(targets[indices["test"]], published["y_test"])
    # counted in the published label files
    assert np.bincount(targets[indices["test"]]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_a_missing_mnist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.npz: not found: restore it by `git checkout"):
        read_mnist(mnist_settings(tmp_path / "none.npz"))


def test_a_truncated_mnist_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mnist.npz"
    file.write_bytes(MNIST.read_bytes()[:5_000_000])

    with pytest.raises(UserError, match=r"mnist\.npz: cannot be read at 'x_train'.*git checkout"):
        read_mnist(mnist_settings(file))


def test_a_damaged_mnist_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mnist.npz"
    content = bytearray(MNIST.read_bytes())
    content[2_000_000] ^= 255
    file.write_bytes(content)

    with pytest.raises(UserError, match=r"mnist\.npz: cannot be read at 'x_train'"):
        read_mnist(mnist_settings(file))


def test_a_raw_path_of_another_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Is a directory"):
        read_mnist(mnist_settings(tmp_path))
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(UserError, match=r"array\.npy: cannot be read at 'x_train'"):
        read_mnist(mnist_settings(tmp_path / "array.npy"))


def test_an_altered_label_is_named(tmp_path: Path) -> None:
    with np.load(MNIST) as published:
        arrays = dict(published)
    arrays["y_test"][7] = 3
    np.savez(tmp_path / "mnist.npz", **arrays)

    with pytest.raises(UserError, match="the content of y_test differs from MNIST's"):
        read_mnist(mnist_settings(tmp_path / "mnist.npz"))


def test_another_archive_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "mnist.npz", x_train=np.zeros((3, 3)))

    with pytest.raises(UserError, match=r"x_train is float64 \(3, 3\), not uint8"):
        read_mnist(mnist_settings(tmp_path / "mnist.npz"))

    with zipfile.ZipFile(tmp_path / "mnist.npz", "w") as archive:
        buffer = io.BytesIO()
        np.save(buffer, np.zeros(1))
        archive.writestr("other.npy", buffer.getvalue())
    with pytest.raises(UserError, match="holds no array 'x_train'"):
        read_mnist(mnist_settings(tmp_path / "mnist.npz"))


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


def test_a_split_takes_from_the_block_of_its_name() -> None:
    indices = split_indices({"train": 10, "test": 5}, {"train": 6, "validation": 3, "test": 2})

    assert {name: array.tolist() for name, array in indices.items()} == {
        "train": [0, 1, 2, 3, 4, 5],
        "validation": [6, 7, 8],
        "test": [10, 11],
    }


def test_a_split_that_exceeds_the_data_is_named() -> None:
    with pytest.raises(UserError, match=r"split\.validation: 5 pictures wanted, but 4 are left of the 10 in 'train'"):
        split_indices({"train": 10, "test": 5}, {"train": 6, "validation": 5, "test": 2})


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_dataset_survives_the_disk(order: Literal["C", "F"], tmp_path: Path) -> None:
    # an array may lie in memory in either order, and NumPy's files keep it
    images = np.array(np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1), order=order)
    save_prepared(images, np.array([1.5, 2, 3], np.float32), INFO, tmp_path / "things")
    save_split({"train": np.array([0, 2])}, tmp_path / "split")

    prepared = load_prepared(tmp_path / "things")

    assert isinstance(prepared.images, np.memmap)
    assert prepared.info == INFO
    chosen = prepared.subset(load_split(tmp_path / "split", "train"))
    np.testing.assert_array_equal(chosen.read(), images[[0, 2]])
    np.testing.assert_array_equal(chosen.read(np.array([1, 0, 1])), images[[2, 0, 2]])
    assert chosen.targets.tolist() == [1.5, 3]
    assert (len(chosen), chosen.picture_shape, chosen.picture_bytes) == (2, (2, 2, 1), 4)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    save_prepared(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3), INFO, tmp_path / "things")
    (tmp_path / "things/images.npy").write_bytes(b"")
    (tmp_path / "train.npy").write_bytes(b"")

    with pytest.raises(UserError, match="dvc repro prepare@things"):
        load_prepared(tmp_path / "things")
    with pytest.raises(UserError, match=r"train\.npy: missing or damaged"):
        load_split(tmp_path, "train")


def test_what_is_missing_is_named_with_its_stage(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="dvc repro prepare@things"):
        load_prepared(tmp_path / "things")
    with pytest.raises(UserError, match="dvc repro split@things"):
        load_split(tmp_path / "things", "train")


def test_a_failure_leaves_the_old_dataset_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "things"
    save_prepared(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3), INFO, folder)
    real_save = np.save

    def full_disk(file: Path, array: np.ndarray) -> None:
        if "targets" in str(file):
            raise OSError(28, "No space left on device", str(file))
        real_save(file, array)

    monkeypatch.setattr(np, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_prepared(np.ones((3, 2, 2, 1), np.uint8), np.ones(3), INFO, folder)

    assert load_prepared(folder).images.max() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["things"]
