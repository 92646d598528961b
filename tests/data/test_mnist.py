"""MNIST: read as published, and any other file named."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.errors import UserError
from image_recipes.data.mnist import MnistDataset, read_mnist
from image_recipes.data.splits import SplitSizes, split_indices
from projects import ROOT

MNIST = ROOT / "data/raw/mnist.npz"


def mnist_settings(raw: Path = MNIST) -> MnistDataset:
    split = SplitSizes(train=50_000, validation=10_000, test=10_000)
    return MnistDataset(source="mnist", task="classification", raw=str(raw), samples="test", split=split)


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
    with np.load(MNIST) as archive:
        # each is decompressed whenever it is asked for
        published = dict(archive)
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
