"""Folders as people have them: which are splits, which are classes, what is passed over, what is asked."""

import os
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adding import refuse, understand
from image_recipes.data.folder import FolderLayout, list_folder
from image_recipes.data.picture_folder import list_picture_files
from image_recipes.intake.layout import LayoutOptions, find_layout, find_root
from image_recipes.intake.split_names import name_splits
from pictures import make_folder, noise

pytestmark = pytest.mark.usefixtures("in_bare_project")


def row(lines: list[str], name: str) -> list[str]:
    """Return the cells of a class in the table of classes and splits."""
    return next(line.split() for line in lines if line.split()[:1] == [name])


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["Training", "Testing"], ["train", "test"]),
        (["train", "dev", "holdout"], ["train", "validation", "test"]),
        (["seg_train", "seg_test"], ["train", "test"]),
        (["train", "valid", "eval"], ["train", "validation", "test"]),
        (["trn", "eval", "tst"], ["train", "validation", "test"]),
        (["TRAIN", "VAL"], ["train", "validation"]),
        (["plants-train-2024", "plants-val-2024"], ["train", "validation"]),
    ],
)
def test_split_folders_of_usual_names_are_known(names: list[str], splits: list[str], tmp_path: Path) -> None:
    for number, name in enumerate(names):
        make_folder(tmp_path / "data" / name, {"ant": 12, "bee": 12}, start=100 * number)

    lines = understand(tmp_path / "data")

    table = dict(zip(names, splits, strict=True))
    assert "splits: " + ", ".join(f"{name} is {table[name]}" for name in sorted(names)) in lines
    in_order = sorted(splits, key=["train", "validation", "test"].index)
    assert next(line.split() for line in lines if line.startswith("  class")) == ["class", *in_order]
    assert row(lines, "ant") == ["ant", *["12"] * len(names)]


def test_folders_in_folders_of_splits_are_looked_through(tmp_path: Path) -> None:
    for split in ["train", "test"]:
        make_folder(tmp_path / f"archive/seg_{split}/seg_{split}", {"sea": 12, "street": 12}, start=ord(split[1]))
    make_folder(tmp_path / "archive/seg_pred", {"seg_pred": 5}, start=900)

    lines = understand(tmp_path / "archive")

    assert "splits: seg_test/seg_test is test, seg_train/seg_train is train" in lines
    assert "5 pictures outside of the splits are passed over, such as seg_pred/seg_pred/000.png" in lines
    assert row(lines, "street") == ["street", "12", "12"]


def test_a_wrapper_is_looked_through(tmp_path: Path) -> None:
    make_folder(tmp_path / "download/PetImages", {"Cat": 12, "Dog": 12})

    lines = understand(tmp_path / "download")

    assert "looked through PetImages" in lines
    assert "2 classes: Cat 12, Dog 12" in lines


def test_a_class_may_have_the_name_of_a_split(tmp_path: Path) -> None:
    make_folder(tmp_path / "vehicles", {"train": 12, "bus": 12})
    make_folder(tmp_path / "rooms", {"train station": 12, "test kitchen": 12})

    assert "2 classes: bus 12, train 12" in understand(tmp_path / "vehicles")
    assert "2 classes: test kitchen 12, train station 12" in understand(tmp_path / "rooms")


def test_test_pictures_without_a_class_are_refused_with_a_way_out(tmp_path: Path) -> None:
    make_folder(tmp_path / "kaggle/train", {"a": 12, "b": 12})
    make_folder(tmp_path / "kaggle", {"test": 6}, start=500)

    output = refuse(tmp_path / "kaggle")

    assert "kaggle/test/000.png: has no class, as 6 of 30 pictures" in output
    assert "give the others by --split-folder train=train" in output
    lines = understand(tmp_path / "kaggle", "--split-folder", "train=train")
    assert "6 pictures outside of the splits are passed over, such as test/000.png" in lines
    assert row(lines, "a") == ["a", "12"]


def test_a_class_without_a_training_picture_stops(tmp_path: Path) -> None:
    make_folder(tmp_path / "sets/train", {"a": 12, "b": 12})
    make_folder(tmp_path / "sets/test", {"a": 5, "b": 5, "c": 5}, start=500)

    assert "'c': pictures in test, but none in train: it cannot be learned" in refuse(tmp_path / "sets")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"only": 12}, "one class only, 'only': there is nothing to tell apart"),
        ({f"c{number}": 1 for number in range(9)}, "9 pictures, each of a class of its own"),
        ({}, "it is empty: give a folder with a sub-folder for each class"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused(classes: dict[str, int], message: str, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()

    assert message in refuse(make_folder(tmp_path / "x", classes))


def test_a_folder_with_a_table_names_the_table(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,label\n")

    assert f"did you mean the table {tmp_path / 'labels.csv'}?" in refuse(tmp_path)


def test_pictures_in_no_folder_name_the_remedy(tmp_path: Path) -> None:
    make_folder(tmp_path, {"pets": 5})
    for number in range(12):
        noise(100 + number).save(tmp_path / f"pets/Siamese_cat_{number}.png")
        noise(200 + number).save(tmp_path / f"pets/beagle.{number}.png")
        (tmp_path / f"pets/00{number % 5}.png").unlink(missing_ok=True)

    assert "take the class from their names by --class-from name" in refuse(tmp_path / "pets")
    lines = understand(tmp_path / "pets", "--class-from", "name")
    assert "class: the first part of the file's name" in lines
    assert "2 classes: Siamese_cat 12, beagle 12" in lines


def test_two_levels_of_classes_are_asked_about(tmp_path: Path) -> None:
    for number, site in enumerate(["north", "south", "west"]):
        make_folder(tmp_path / "sites" / site, {"dust": 12, "clean": 12}, start=100 * number)

    output = refuse(tmp_path / "sites")

    assert "north, south, west all hold clean, dust: decide by --class-from folder (north is a class)" in output
    assert "2 classes: clean 36, dust 36" in understand(tmp_path / "sites", "--class-from", "subfolder")
    assert "3 classes: north 24, south 24, west 24" in understand(tmp_path / "sites", "--class-from", "folder")


def test_a_folder_beside_the_splits_is_asked_about(tmp_path: Path) -> None:
    for number, name in enumerate(["train", "test", "extra"]):
        make_folder(tmp_path / "mixed" / name, {"a": 12, "b": 12}, start=100 * number)

    output = refuse(tmp_path / "mixed")

    assert "test, train look like splits, but extra does not: decide by --split-folder test=test" in output
    assert "3 classes: extra 24, test 24, train 24" in understand(tmp_path / "mixed", "--no-split")


def test_classes_that_differ_by_case_are_asked_about(tmp_path: Path) -> None:
    make_folder(tmp_path / "pets", {"Cat": 14, "cat": 12, "dog": 12})

    assert "'Cat' (14), 'cat' (12): decide by --merge-classes" in refuse(tmp_path / "pets")
    assert "3 classes: Cat 14, cat 12, dog 12" in understand(tmp_path / "pets", "--keep-classes")
    lines = understand(tmp_path / "pets", "--merge-classes")
    assert "class cat is counted as Cat" in lines
    assert "2 classes: Cat 26, dog 12" in lines


def test_rare_classes_are_named(tmp_path: Path) -> None:
    make_folder(tmp_path / "x", {"common": 30, "rare": 2, "single": 1})

    assert "fewer than 10 pictures, too few to learn and to judge by: single 1, rare 2" in understand(tmp_path / "x")


def test_numbered_classes_stand_in_numeric_order(tmp_path: Path) -> None:
    make_folder(tmp_path / "grades", {str(number): 10 for number in range(1, 13)})

    shown = ", ".join(f"{number} 10" for number in range(1, 13))
    assert f"12 classes: {shown}" in understand(tmp_path / "grades")


def test_what_is_no_picture_is_passed_over_wherever_it_lies(tmp_path: Path) -> None:
    for number, split in enumerate(["train", "valid"]):
        make_folder(tmp_path / "x" / split, {"a": 12, "b": 12}, start=100 * number)
    for name in ["README.txt", "train/_annotations.json", "train/a/000.txt", "valid.cache", "train/a/.DS_Store"]:
        (tmp_path / "x" / name).write_text("{}")
    # a picture without an ending is one
    noise(900).save(tmp_path / "x/train/a/shot", "JPEG")

    lines = understand(tmp_path / "x")

    assert any(line.startswith("passed over: 4 files that are no pictures (.txt 2") for line in lines)
    assert row(lines, "a") == ["a", "13", "12"]


def test_broken_links_are_named(tmp_path: Path) -> None:
    make_folder(tmp_path / "x", {"a": 12, "b": 12})
    (tmp_path / "x/a/gone.png").symlink_to(tmp_path / "nowhere.png")

    lines = understand(tmp_path / "x")

    assert f"  a/gone.png: a link to {tmp_path / 'nowhere.png'}, which is not there" in lines
    assert "2 classes: a 12, b 12" in lines


def test_ten_problems_are_named(tmp_path: Path) -> None:
    make_folder(tmp_path / "x", {"a": 12, "b": 12})
    for number in range(12):
        (tmp_path / f"x/a/bad{number:02}.png").write_bytes(b"nothing")

    lines = understand(tmp_path / "x")

    assert "12 problems:" in lines
    assert len([line for line in lines if line.startswith("  a/bad")]) == 10
    assert "  and 2 more: the run will name them" in lines


def test_names_that_are_no_unicode_are_shown_and_renamed(tmp_path: Path) -> None:
    make_folder(tmp_path / "x", {"a": 12, "b": 12})
    (tmp_path / "x/a/000.png").rename(tmp_path / os.fsdecode(b"x/a/caf\xe9.png"))
    noise(800).save(tmp_path / "x/a/café.png")

    lines = understand(tmp_path / "x")

    assert r"a/caf\xe9.png: the name is no UTF-8: copied as a/café-2.png" in lines
    assert "data/raw/x: 25 new" in lines


NAMES = st.sampled_from(["a", "b", "1", "10", "2", "나팔꽃", "Cat", "train", "val", "x y", "$1", "<b>"])


@given(
    classes=st.sets(NAMES, min_size=2, max_size=5),
    names=st.lists(st.sampled_from(["train", "Training", "valid", "VAL", "test", "hold-out"]), max_size=3, unique=True),
    wrapper=st.booleans(),
    form=st.sampled_from(["NFC", "NFD"]),
)
def test_any_layout_is_read_again_as_it_was_understood(
    classes: set[str], names: list[str], wrapper: bool, form: Literal["NFC", "NFD"]
) -> None:
    # all of them names of splits, which is refused: nobody can tell which folders are the classes
    assume(not classes <= {"train", "val"})
    splits: dict[str, str] = {**name_splits(names)}
    if "train" not in splits.values() or len(set(splits.values())) < 2:
        names, splits = [], {}
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for split in names or [""]:
            for name in classes:
                place = folder / ("download" if wrapper else "") / split / unicodedata.normalize(form, name)
                place.mkdir(parents=True)
                (place / "0.png").write_bytes(b"x")
        files = list_picture_files(folder).pictures
        root = find_root(folder, files)
        layout, _ = find_layout(root, [file.relative_to(root.relative_to(folder)) for file in files], LayoutOptions())

        pictures = list_folder(root, FolderLayout(dict(layout.split_folders or {}), layout.class_from)).pictures

    assert len(pictures) == len(classes) * max(1, len(names))
    assert set(pictures["label"]) == classes
    assert set(pictures["split"]) == (set(splits.values()) or {""})


def test_classes_that_all_have_names_of_splits_are_refused(tmp_path: Path) -> None:
    for number, place in enumerate(["train/train", "train/val", "valid/train", "valid/val"]):
        make_folder(tmp_path / "x", {place: 12}, start=100 * number)

    assert "move them into folders of their classes" in refuse(tmp_path / "x")


def test_splits_inside_of_classes_are_read(tmp_path: Path) -> None:
    for number, place in enumerate(["cat/train", "cat/test", "dog/train", "dog/test"]):
        make_folder(tmp_path / "pets", {place: 12}, start=100 * number)

    lines = understand(tmp_path / "pets")

    assert "splits: cat/test is test, cat/train is train, dog/test is test, dog/train is train" in lines
    assert row(lines, "cat") == ["cat", "12", "12"]
    layout = FolderLayout({"cat/test": "test", "cat/train": "train", "dog/test": "test", "dog/train": "train"})
    assert set(list_folder(tmp_path / "pets", layout).pictures["label"]) == {"cat", "dog"}


def test_options_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    make_folder(tmp_path / "x", {"a": 12, "b": 12})
    twice = ["--split-folder", "a=train", "--split-folder", "a=test"]

    assert "--split-folder: give each folder once" in refuse(tmp_path / "x", *twice)
    assert "and --no-split without it" in refuse(tmp_path / "x", "--split-folder", "a=train", "--no-split")


def test_korean_names_of_old_archives_are_read(tmp_path: Path) -> None:
    make_folder(tmp_path / "x", {"a": 12, "b": 12})
    (tmp_path / "x/a").rename(tmp_path / "x" / os.fsdecode("나팔꽃 사진".encode("cp949")))

    assert "2 classes: b 12, 나팔꽃 사진 12" in understand(tmp_path / "x")
