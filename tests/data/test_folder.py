"""Pictures in folders: each class, each split and nothing else is listed."""

import unicodedata
from pathlib import Path

import pytest

from image_recipes.core.errors import UserError
from image_recipes.data.folder import list_folder
from pictures import make_folder


def test_hangul_of_macos_is_the_same_class(tmp_path: Path) -> None:
    make_folder(tmp_path / "train", {unicodedata.normalize("NFD", "나팔꽃"): 2})
    make_folder(tmp_path / "test", {unicodedata.normalize("NFC", "나팔꽃"): 2})

    assert set(list_folder(tmp_path).pictures["label"]) == {unicodedata.normalize("NFC", "나팔꽃")}


def test_folders_of_splits_are_known(tmp_path: Path) -> None:
    for split in ["Train", "valid", "test"]:
        make_folder(tmp_path / split, {"a": 2, "b": 1})
    pictures = list_folder(tmp_path).pictures
    # what file managers leave is no class
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX/x").write_bytes(b"x")
    assert list_folder(tmp_path).pictures["label"].nunique() == 2
    assert pictures.groupby("split")["label"].apply(list).to_dict() == {
        "test": ["a", "a", "b"],
        "train": ["a", "a", "b"],
        "validation": ["a", "a", "b"],
    }
    # a class that is named so is a class, where others stand beside it
    make_folder(tmp_path, {"rust": 1})
    assert set(list_folder(tmp_path).pictures["label"]) == {"Train", "valid", "test", "rust"}


def test_what_file_managers_leave_is_passed_over(tmp_path: Path) -> None:
    raw = make_folder(tmp_path, {"a": 1})
    for name in ["a/.DS_Store", "a/Thumbs.db", ".cache/x.png", "a/._000.png", "labels.csv"]:
        (raw / name).parent.mkdir(exist_ok=True)
        (raw / name).write_bytes(b"x")

    assert list_folder(raw).pictures["path"].tolist() == ["a/000.png"]


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no pictures in it"):
        list_folder(tmp_path)
    (tmp_path / "stray.png").write_bytes(b"x")
    with pytest.raises(UserError, match=r"stray\.png: lies outside of the classes' folders"):
        list_folder(tmp_path)
    with pytest.raises(UserError, match="no folder"):
        list_folder(tmp_path / "none")


def test_a_folder_that_links_to_itself_is_listed_once(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 2, "b": 2})
    (raw / "a/again").symlink_to(raw)
    make_folder(tmp_path / "elsewhere", {"c": 3})
    (raw / "c").symlink_to(tmp_path / "elsewhere/c")

    assert list_folder(raw).pictures["label"].tolist() == ["a", "a", "b", "b", "c", "c", "c"]
