"""Splits: published pictures in their order, each from its block; a person's own by their classes."""

from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.dataset import load_prepared
from image_recipes.core.errors import UserError
from image_recipes.data.dots import DotsDataset
from image_recipes.data.prepare import prepare_dataset
from image_recipes.data.splits import SplitSizes, split_dataset, split_indices
from pictures import folder_settings, make_folder


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


def test_published_pictures_have_no_assignment_to_keep(tmp_path: Path) -> None:
    split = SplitSizes(train=4, validation=2, test=3)
    settings = DotsDataset(
        source="dots", task="regression", raw="generated", seed=0, size=4, samples="train", split=split
    )
    assert prepare_dataset(settings, tmp_path / "dots") is None

    indices = split_dataset(tmp_path / "dots", settings, tmp_path / "dots.csv")

    assert {name: array.tolist() for name, array in indices.items()} == {
        "train": [0, 1, 2, 3],
        "validation": [4, 5],
        "test": [6, 7, 8],
    }
    assert (tmp_path / "dots.csv").read_text("utf-8") == "# in the published order\n"


def test_own_pictures_are_divided_by_class_and_stay(tmp_path: Path) -> None:
    settings = folder_settings(make_folder(tmp_path / "raw", {"a": 20, "b": 10}))
    assert prepare_dataset(settings, tmp_path / "own") is None

    indices = split_dataset(tmp_path / "own", settings, tmp_path / "own.csv")

    targets = load_prepared(tmp_path / "own").targets
    assert {name: np.bincount(targets[array]).tolist() for name, array in indices.items()} == {
        "train": [12, 6],
        "validation": [4, 2],
        "test": [4, 2],
    }
    kept = (tmp_path / "own.csv").read_text("utf-8")
    again = split_dataset(tmp_path / "own", settings, tmp_path / "own.csv")
    assert {name: array.tolist() for name, array in again.items()} == {
        name: array.tolist() for name, array in indices.items()
    }
    assert (tmp_path / "own.csv").read_text("utf-8") == kept


def test_a_class_that_a_split_lacks_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = tmp_path / "raw"
    for start, split in enumerate(("train", "validation", "test")):
        classes = {"birch": 4, "oak": 3} if split == "train" else {"birch": 3}
        make_folder(raw / split, classes, start=100 * start)
    given = {"train": "given", "validation": "given", "test": "given", "keep_together": "nothing"}
    settings = folder_settings(raw, split=given)
    assert prepare_dataset(settings, tmp_path / "own") is None

    split_dataset(tmp_path / "own", settings, tmp_path / "own.csv")

    said = capsys.readouterr().out
    assert f"{raw}: no validation picture of oak: nothing judges it during training" in said
    assert f"{raw}: no test picture of oak: nothing says how well it was learned" in said
    assert "no train picture" not in said
