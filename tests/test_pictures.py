"""A person's own pictures: listed, decoded, checked; what is wrong is named and nothing is lost."""

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from PIL import Image

from image_recipes import decoders
from image_recipes.datasets import load_prepared
from image_recipes.duplicates import find_near_duplicates, fingerprint, link
from image_recipes.errors import UserError
from image_recipes.folder import FolderDataset, list_folder, prepare_folder
from image_recipes.pictures import load_pictures
from image_recipes.refused import draw_refused
from image_recipes.table import Columns, TableDataset, list_table, prepare_table

COMMON: dict[str, Any] = {
    "height": 16,
    "width": 16,
    "channels": 3,
    "fit": "pad",
    "region": {"left": 0, "top": 0, "right": 1, "bottom": 1},
    "on_bad_picture": "stop",
    "max_bad_share": 0.2,
    "seed": 0,
    "samples": "train",
    "split": {"train": 0.6, "validation": 0.2, "test": 0.2, "keep_together": "duplicates"},
}


def noise(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    """A picture unlike any other: blobs of chance."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def make_folder(root: Path, classes: dict[str, int], start: int = 0, size: tuple[int, int] = (40, 30)) -> Path:
    """Make a folder with so many pictures of each class."""
    seed = start
    for name, count in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            noise(seed, size).save(root / name / f"{number:03}.png")
            seed += 1
    return root


def fitted(file: Path) -> np.ndarray:
    """A picture of 40 x 30 pixels as it is made to fit into 16 x 16."""
    with Image.open(file) as image:
        return np.asarray(image.resize((16, 12), Image.Resampling.BICUBIC, reducing_gap=2.0))


def folder_settings(raw: Path, **changes: Any) -> FolderDataset:
    values = {**COMMON, "source": "folder", "task": "classification", "unit": None, "raw": str(raw)}
    return FolderDataset.model_validate({**values, **changes})


def table_settings(raw: Path, table: str, task: str, **changes: Any) -> TableDataset:
    columns = {"picture": "file", "target": "target", "split": None, "group": None}
    values = {**COMMON, "source": "table", "task": task, "raw": str(raw), "table": table, "columns": columns}
    return TableDataset.model_validate({**values, "unit": "g" if task == "regression" else None, **changes})


def test_class_folders_become_classes(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"나팔꽃": 12, 'it\'s a "rose"': 11, "moss & fern": 10})

    assert prepare_folder(folder_settings(raw), tmp_path / "prepared") is None

    prepared = load_prepared(tmp_path / "prepared")
    assert prepared.info.classes == sorted(["나팔꽃", 'it\'s a "rose"', "moss & fern"])
    assert prepared.images.shape == (33, 16, 16, 3)
    assert np.bincount(prepared.targets).tolist() == [11, 10, 12]
    pictures = load_pictures(tmp_path / "prepared")
    assert pictures["path"].tolist() == sorted(pictures["path"])
    for number in [0, 20, 32]:
        np.testing.assert_array_equal(prepared.images[number, 2:14], fitted(raw / pictures["path"][number]))
    assert pd.read_csv(tmp_path / "prepared/problems.csv").empty
    assert sorted(path.name for path in (tmp_path / "prepared").iterdir()) == [
        "dataset.json",
        "images.npy",
        "pictures.csv",
        "problems.csv",
        "targets.npy",
    ]


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


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="one class, a, only"):
        prepare_folder(folder_settings(make_folder(tmp_path / "raw", {"a": 12})), tmp_path / "prepared")


def spoil(raw: Path) -> None:
    """Put one of each kind of bad file into a folder of classes a and b."""
    (raw / "a/000.png").write_bytes(b"")
    (raw / "a/001.png").write_bytes((raw / "a/001.png").read_bytes()[:200])
    (raw / "b/notes.txt").write_text("not a picture")
    (raw / "b/copy.png").write_bytes((raw / "a/002.png").read_bytes())


def test_bad_pictures_stop_the_run_and_are_all_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})
    spoil(raw)

    complaint = prepare_folder(folder_settings(raw), tmp_path / "prepared")

    assert complaint is not None
    assert "5 of 42 pictures cannot be used, such as a/000.png (empty file): mend or remove them" in complaint
    assert [path.name for path in (tmp_path / "prepared").iterdir()] == ["problems.csv"]
    draw_refused(raw, tmp_path / "prepared")
    assert imread(tmp_path / "prepared/problems.png").std() > 0.05
    problems = pd.read_csv(tmp_path / "prepared/problems.csv").set_index("path")
    assert problems["problem"].to_dict() == {
        "a/000.png": "bad picture",
        "a/001.png": "bad picture",
        "b/notes.txt": "bad picture",
        "a/002.png": "two labels",
        "b/copy.png": "two labels",
    }
    assert problems.loc["b/copy.png", "detail"] == "labelled b, and the same picture as a/002.png (a)"
    assert "bad picture: 3 of 42" in capsys.readouterr().out


def test_bad_pictures_are_skipped_up_to_a_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})
    spoil(raw)

    assert prepare_folder(folder_settings(raw, on_bad_picture="skip"), tmp_path / "prepared") is None

    assert "5 of 42 pictures are skipped" in capsys.readouterr().out
    prepared, pictures = load_prepared(tmp_path / "prepared"), load_pictures(tmp_path / "prepared")
    assert len(prepared.images) == len(prepared.targets) == len(pictures) == 37
    # each picture stands beside its own name
    for number, name in enumerate(pictures["path"]):
        np.testing.assert_array_equal(prepared.images[number, 2:14], fitted(raw / name))
    complaint = prepare_folder(folder_settings(raw, on_bad_picture="skip", max_bad_share=0.1), tmp_path / "second")
    assert complaint is not None
    assert "max_bad_share allows 10.0%" in complaint


def test_nothing_is_left_of_all_bad_pictures(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for name in ["a/1.png", "b/2.png"]:
        (raw / name).parent.mkdir(parents=True)
        (raw / name).write_bytes(b"no picture")

    complaint = prepare_folder(folder_settings(raw), tmp_path / "prepared")

    assert complaint is not None
    assert "2 of 2 pictures cannot be used" in complaint
    assert len(pd.read_csv(tmp_path / "prepared/problems.csv")) == 2
    with pytest.raises(UserError, match="no picture is left to learn from"):
        prepare_folder(folder_settings(raw, on_bad_picture="skip", max_bad_share=1.0), tmp_path / "second")


def test_more_pictures_than_are_decoded_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "FEW_FILES", 0)
    monkeypatch.setattr(decoders, "AT_ONCE", 3)
    monkeypatch.setattr(decoders, "AHEAD_BYTES", 1)
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})

    assert prepare_folder(folder_settings(raw), tmp_path / "prepared") is None

    prepared = load_prepared(tmp_path / "prepared")
    for number, name in enumerate(load_pictures(tmp_path / "prepared")["path"]):
        np.testing.assert_array_equal(prepared.images[number, 2:14], fitted(raw / name))


def test_a_folder_that_links_to_itself_is_listed_once(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 2, "b": 2})
    (raw / "a/again").symlink_to(raw)
    make_folder(tmp_path / "elsewhere", {"c": 3})
    (raw / "c").symlink_to(tmp_path / "elsewhere/c")

    assert list_folder(raw).pictures["label"].tolist() == ["a", "a", "b", "b", "c", "c", "c"]


def test_the_result_does_not_depend_on_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "FEW_FILES", 0)
    monkeypatch.delattr("os.process_cpu_count", raising=False)
    raw = make_folder(tmp_path / "raw", {"a": 15, "b": 15})
    results = []
    for workers in [1, 3]:
        monkeypatch.setattr("os.cpu_count", lambda workers=workers: workers)
        prepare_folder(folder_settings(raw), tmp_path / str(workers))
        results.append({path.name: path.read_bytes() for path in (tmp_path / str(workers)).iterdir()})

    assert results[0] == results[1]


def test_duplicates_are_found_by_content_and_by_look(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})
    (raw / "a/twice.png").write_bytes((raw / "a/003.png").read_bytes())
    noise(5).save(raw / "b/again.jpg", quality=80)
    noise(6).resize((80, 60)).save(raw / "a/larger.png")

    assert prepare_folder(folder_settings(raw, on_bad_picture="stop"), tmp_path / "prepared") is None

    problems = pd.read_csv(tmp_path / "prepared/problems.csv").set_index("path")
    assert problems["problem"].to_dict() == {
        "a/twice.png": "same picture",
        "a/larger.png": "nearly the same picture",
        "b/again.jpg": "nearly the same picture",
    }
    assert problems.loc["b/again.jpg", "detail"] == "as a/005.png, but labelled b, not a"


def test_near_duplicates_are_those_that_all_pairs_give() -> None:
    random = np.random.default_rng(0)
    pictures = np.stack([np.asarray(noise(seed, (24, 24))) for seed in range(150)])
    # five slightly altered copies of ten of them
    altered = [pictures[number].astype(int) + random.normal(0, 3, pictures[0].shape) for number in range(10)] * 5
    pictures = np.concatenate([pictures, np.stack(altered).clip(0, 255).astype(np.uint8)])
    prints = np.array([fingerprint(Image.fromarray(picture)) for picture in pictures], np.uint64)

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
    levels = np.repeat(np.arange(0, 250, 25, dtype=np.uint8), 2_000)
    pictures = levels[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)

    roots = link(len(pictures), find_near_duplicates(pictures, np.zeros(len(pictures), np.uint64)))

    assert np.unique(roots, return_counts=True)[1].tolist() == [2_000] * 10


def make_table(root: Path, rows: list[str], name: str = "labels.csv", header: str = "file,target") -> Path:
    root.mkdir(exist_ok=True)
    (root / name).write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return root / name


def test_a_table_of_numbers(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    make_folder(raw, {"shots": 12})
    make_table(raw, [f"shots\\{number:03}.png, {number / 4}" for number in range(12)])

    assert prepare_table(table_settings(raw, "labels.csv", "regression"), tmp_path / "prepared") is None

    prepared = load_prepared(tmp_path / "prepared")
    assert prepared.targets.dtype == np.float32
    assert prepared.targets.tolist() == [number / 4 for number in range(12)]
    assert (prepared.info.unit, prepared.info.classes) == ("g", None)


def test_a_table_of_classes_keeps_names_as_they_are(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"x": 12})
    rows = [f"x/{number:03}.png\t{['007', 'NA-1', 'ü, ö'][number % 3]}" for number in range(12)]
    make_table(raw, rows, "labels.TSV", "file\ttarget")

    assert prepare_table(table_settings(raw, "labels.TSV", "classification"), tmp_path / "prepared") is None

    assert load_prepared(tmp_path / "prepared").info.classes == ["007", "NA-1", "ü, ö"]


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    rows = [f"x/{number:03}.png,{number}" for number in range(10)]
    rows += ["../secret.png,1", "/etc/passwd,2", "x/000.png,", "x/001.png,NaN", "x/002.png,heavy", ",3", "C:\\a.png,1"]
    file = make_table(tmp_path, rows)

    listing = list_table(file, Columns(picture="file", target="target", split=None, group=None), "regression")

    assert len(listing.pictures) == 10
    assert [(problem.path, problem.problem) for problem in listing.problems] == [
        ("../secret.png", "bad path"),
        ("/etc/passwd", "bad path"),
        ("x/000.png", "bad label"),
        ("x/001.png", "bad label"),
        ("x/002.png", "bad label"),
        ("line 17", "bad path"),
        ("C:\\a.png", "bad path"),
    ]
    assert listing.problems[4].detail == "line 16: 'heavy' is no number"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"x": 3})
    make_table(raw, [f"x/{number:03}.png,{number}" for number in range(4)])

    complaint = prepare_table(table_settings(raw, "labels.csv", "regression"), tmp_path / "prepared")

    assert complaint is not None
    assert "1 of 4 pictures cannot be used, such as x/003.png (missing file)" in complaint


@pytest.mark.parametrize(
    ("header", "rows", "task", "message"),
    [
        ("file,weight", ["a.png,1"], "regression", "no column 'target': known: file, weight; it has file, weight"),
        ("file,target,target", ["a.png,1,2"], "regression", "two columns are named 'target': rename one"),
        ("file,target", [], "regression", "no rows below its header"),
        ("\nfile,target", ["a.png,1", "b.png,1,2"], "regression", "line 4: 3 values, but the header has 2 columns"),
        ("file,target", ["a.png,oak", "b.png,elm"], "regression", "are no numbers, such as 'oak': set task: classif"),
        (
            "file,target",
            [f"{number}.png,{number / 7}" for number in range(9)],
            "classification",
            "9 different numbers in 9 rows, such as '0.0': set task: regression",
        ),
    ],
)
def test_a_table_that_does_not_suit_is_explained(
    header: str, rows: list[str], task: str, message: str, tmp_path: Path
) -> None:
    file = make_table(tmp_path, rows, header=header)

    with pytest.raises(UserError, match=message):
        list_table(file, Columns(picture="file", target="target", split=None, group=None), task)


def test_a_table_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes("file,target\na.png,나팔꽃\n".encode("cp949"))

    with pytest.raises(UserError, match=r"labels\.csv: not UTF-8: save it as CSV UTF-8"):
        list_table(
            tmp_path / "labels.csv", Columns(picture="file", target="target", split=None, group=None), "classification"
        )
