"""A prepared dataset on disk: it comes back as it was, or what is wrong is named with the stage that makes it."""

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from image_recipes.core.dataset import DatasetInfo, load_info, load_prepared, load_split, save_prepared, save_split
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import REGRESSION

INFO = DatasetInfo(REGRESSION, None, "things", [2, 2, 1], {"train": 3}, "a test")


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
    save_prepared(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3, np.float32), INFO, tmp_path / "things")
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
    save_prepared(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3, np.float32), INFO, folder)
    real_save = np.save

    def full_disk(file: Path, array: np.ndarray, allow_pickle: bool) -> None:
        if "targets" in str(file):
            raise OSError(28, "No space left on device", str(file))
        real_save(file, array, allow_pickle=allow_pickle)

    monkeypatch.setattr(np, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_prepared(np.ones((3, 2, 2, 1), np.uint8), np.ones(3, np.float32), INFO, folder)

    assert load_prepared(folder).images.max() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["things"]


def test_a_task_is_its_name_in_the_file(tmp_path: Path) -> None:
    save_prepared(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3, np.float32), INFO, tmp_path / "things")
    file = tmp_path / "things/dataset.json"
    saved = json.loads(file.read_text("utf-8"))

    assert saved["task"] == "regression"
    assert DatasetInfo.from_json(saved) == load_info(tmp_path / "things") == INFO

    file.write_text(json.dumps({**saved, "task": "segmentation"}), "utf-8")
    with pytest.raises(UserError, match=r"things: missing or damaged: make it by `dvc repro prepare@things`"):
        load_info(tmp_path / "things")


def test_a_split_of_other_pictures_is_named(tmp_path: Path) -> None:
    save_prepared(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3, np.float32), INFO, tmp_path / "things")

    with pytest.raises(UserError, match=r"make both again by `dvc repro` \(it names picture 3, but there are 3\)"):
        load_prepared(tmp_path / "things").subset(np.array([0, 3]))
