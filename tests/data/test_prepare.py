"""Preparing a person's own pictures: decoded and checked; what is wrong is named and nothing is lost."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from PIL import Image

from image_recipes.core.dataset import load_prepared
from image_recipes.core.errors import UserError
from image_recipes.data import decode_pool
from image_recipes.data.own_pictures import load_pictures
from image_recipes.data.prepare import prepare_dataset
from image_recipes.figures.refused import draw_refused
from pictures import folder_settings, make_folder, make_table, noise, table_settings


def fitted(file: Path) -> np.ndarray:
    """A picture of 40 x 30 pixels as it is made to fit into 16 x 16."""
    with Image.open(file) as image:
        return np.asarray(image.resize((16, 12), Image.Resampling.BICUBIC, reducing_gap=2.0))


def test_class_folders_become_classes(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"나팔꽃": 12, 'it\'s a "rose"': 11, "moss & fern": 10})

    assert prepare_dataset(folder_settings(raw), tmp_path / "prepared") is None

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


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="all 12 pictures have the label a: there is nothing to learn"):
        prepare_dataset(folder_settings(make_folder(tmp_path / "raw", {"a": 12})), tmp_path / "prepared")


def spoil(raw: Path) -> None:
    """Put one of each kind of bad file into a folder of classes a and b."""
    (raw / "a/000.png").write_bytes(b"")
    (raw / "a/001.png").write_bytes((raw / "a/001.png").read_bytes()[:200])
    (raw / "b/notes.jpg").write_text("not a picture")
    (raw / "b/copy.png").write_bytes((raw / "a/002.png").read_bytes())


def test_bad_pictures_stop_the_run_and_are_all_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})
    spoil(raw)

    complaint = prepare_dataset(folder_settings(raw), tmp_path / "prepared")

    assert complaint is not None
    assert "5 of 42 pictures cannot be used, such as a/000.png (empty file): fix or remove them" in complaint
    assert [path.name for path in (tmp_path / "prepared").iterdir()] == ["problems.csv"]
    draw_refused(raw, tmp_path / "prepared")
    assert imread(tmp_path / "prepared/problems.png").std() > 0.05
    problems = pd.read_csv(tmp_path / "prepared/problems.csv").set_index("path")
    assert problems["problem"].to_dict() == {
        "a/000.png": "bad picture",
        "a/001.png": "bad picture",
        "b/notes.jpg": "bad picture",
        "a/002.png": "two labels",
        "b/copy.png": "two labels",
    }
    assert problems.loc["b/copy.png", "detail"] == "labelled b, and the same picture as a/002.png (a)"
    assert "bad picture: 3 of 42" in capsys.readouterr().out


def test_bad_pictures_are_skipped_up_to_a_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})
    spoil(raw)

    assert prepare_dataset(folder_settings(raw, on_bad_picture="skip"), tmp_path / "prepared") is None

    assert "5 of 42 pictures are skipped" in capsys.readouterr().out
    prepared, pictures = load_prepared(tmp_path / "prepared"), load_pictures(tmp_path / "prepared")
    assert len(prepared.images) == len(prepared.targets) == len(pictures) == 37
    # each picture stands beside its own name
    for number, name in enumerate(pictures["path"]):
        np.testing.assert_array_equal(prepared.images[number, 2:14], fitted(raw / name))
    complaint = prepare_dataset(folder_settings(raw, on_bad_picture="skip", max_bad_share=0.1), tmp_path / "second")
    assert complaint is not None
    assert "max_bad_share allows 10.0%" in complaint


def test_files_that_are_no_pictures_are_passed_over_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 12, "b": 12})
    for name in ["a/notes.txt", "a/000.json", "b/000.png:Zone.Identifier", "list.csv"]:
        (raw / name).write_text("{}")

    assert prepare_dataset(folder_settings(raw), tmp_path / "prepared") is None

    assert len(load_prepared(tmp_path / "prepared").images) == 24
    said = capsys.readouterr().out
    assert "passed over: 4 files that are no pictures (" in said
    assert ".txt 1" in said


def test_nothing_is_left_of_all_bad_pictures(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for name in ["a/1.png", "b/2.png"]:
        (raw / name).parent.mkdir(parents=True)
        (raw / name).write_bytes(b"no picture")

    complaint = prepare_dataset(folder_settings(raw), tmp_path / "prepared")

    assert complaint is not None
    assert "2 of 2 pictures cannot be used" in complaint
    assert len(pd.read_csv(tmp_path / "prepared/problems.csv")) == 2
    with pytest.raises(UserError, match="no picture is left to learn from"):
        prepare_dataset(folder_settings(raw, on_bad_picture="skip", max_bad_share=1.0), tmp_path / "second")


def test_more_pictures_than_are_decoded_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_pool, "MIN_FILES_FOR_PROCESSES", 0)
    monkeypatch.setattr(decode_pool, "PICTURES_A_JOB", 3)
    monkeypatch.setattr(decode_pool, "MAX_WAITING_BYTES", 1)
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})

    assert prepare_dataset(folder_settings(raw), tmp_path / "prepared") is None

    prepared = load_prepared(tmp_path / "prepared")
    for number, name in enumerate(load_pictures(tmp_path / "prepared")["path"]):
        np.testing.assert_array_equal(prepared.images[number, 2:14], fitted(raw / name))


def test_the_result_does_not_depend_on_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_pool, "MIN_FILES_FOR_PROCESSES", 0)
    monkeypatch.delattr("os.process_cpu_count", raising=False)
    raw = make_folder(tmp_path / "raw", {"a": 15, "b": 15})
    results = []
    for workers in [1, 3]:
        monkeypatch.setattr("os.cpu_count", lambda workers=workers: workers)
        prepare_dataset(folder_settings(raw), tmp_path / str(workers))
        results.append({path.name: path.read_bytes() for path in (tmp_path / str(workers)).iterdir()})

    assert results[0] == results[1]


def test_duplicates_are_found_by_content_and_by_look(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})
    (raw / "a/twice.png").write_bytes((raw / "a/003.png").read_bytes())
    noise(5).save(raw / "b/again.jpg", quality=80)
    noise(6).resize((80, 60)).save(raw / "a/larger.png")

    assert prepare_dataset(folder_settings(raw, on_bad_picture="stop"), tmp_path / "prepared") is None

    problems = pd.read_csv(tmp_path / "prepared/problems.csv").set_index("path")
    assert problems["problem"].to_dict() == {
        "a/twice.png": "same picture",
        "a/larger.png": "near-duplicate",
        "b/again.jpg": "near-duplicate",
    }
    assert problems.loc["b/again.jpg", "detail"] == "of a/005.png, but labelled b, not a"


def test_the_picture_that_matched_is_named_and_a_large_group_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 40})
    # copies of one picture are most of a class
    for number in range(30):
        noise(5).resize((60 + number, 45 + number * 3 // 4)).save(raw / f"a/copy{number:02}.png")

    assert prepare_dataset(folder_settings(raw), tmp_path / "prepared") is None

    said = capsys.readouterr().out
    assert "near-duplicate: " in said
    assert "a: 31 of 50 are near-duplicates of a/0" in said or "a: 31 of 50 are near-duplicates of a/copy" in said
    assert "puts all of them into one split" in said
    pictures = load_pictures(tmp_path / "prepared")
    named = pd.read_csv(tmp_path / "prepared/problems.csv").set_index("path")
    for row in np.flatnonzero(pictures["alike"] != ""):
        matches = {f"of {pictures['path'][int(other)]}" for other in pictures["alike"][row].split()}
        assert named.loc[pictures["path"][row], "detail"] in matches


def test_a_rare_class_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = make_folder(tmp_path / "raw", {"common": 40, "rare": 2, "single": 1})

    assert prepare_dataset(folder_settings(raw), tmp_path / "prepared") is None

    said = capsys.readouterr().out
    assert "single: 1 of this class; training comes first, so some split has none" in said


def test_a_table_of_numbers(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    make_folder(raw, {"shots": 12})
    make_table(raw, [f"shots\\{number:03}.png, {number / 4}" for number in range(12)])

    assert prepare_dataset(table_settings(raw, "labels.csv", "regression"), tmp_path / "prepared") is None

    prepared = load_prepared(tmp_path / "prepared")
    assert prepared.targets.dtype == np.float32
    assert prepared.targets.tolist() == [number / 4 for number in range(12)]
    assert (prepared.info.unit, prepared.info.classes) == ("g", None)


def test_a_table_of_classes_keeps_names_as_they_are(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"x": 12})
    rows = [f"x/{number:03}.png\t{['007', 'NA-1', 'ü, ö'][number % 3]}" for number in range(12)]
    make_table(raw, rows, "labels.TSV", "file\ttarget")

    assert prepare_dataset(table_settings(raw, "labels.TSV", "classification"), tmp_path / "prepared") is None

    assert load_prepared(tmp_path / "prepared").info.classes == ["007", "NA-1", "ü, ö"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"x": 3})
    make_table(raw, [f"x/{number:03}.png,{number}" for number in range(4)])

    complaint = prepare_dataset(table_settings(raw, "labels.csv", "regression"), tmp_path / "prepared")

    assert complaint is not None
    assert "1 of 4 pictures cannot be used, such as x/003.png (missing file)" in complaint


def test_a_prepare_that_stops_keeps_what_it_decoded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})
    spoil(raw)
    settings, kept = folder_settings(raw), tmp_path / "decoded"
    assert prepare_dataset(settings, tmp_path / "first", kept) is not None
    for name in ["a/000.png", "a/001.png", "b/notes.jpg", "b/copy.png"]:
        (raw / name).unlink()
    noise(900).save(raw / "a/005.png")

    assert prepare_dataset(settings, tmp_path / "second", kept) is None

    # the two of two labels were not kept, nor the one that has changed since
    assert "36 pictures were decoded before, and have not changed" in capsys.readouterr().out
    assert not kept.exists()
    assert prepare_dataset(settings, tmp_path / "anew") is None
    for name in ["images.npy", "targets.npy", "pictures.csv", "problems.csv", "dataset.json"]:
        assert (tmp_path / "second" / name).read_bytes() == (tmp_path / "anew" / name).read_bytes()


def test_what_was_decoded_otherwise_is_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 20, "b": 20})
    spoil(raw)
    kept = tmp_path / "decoded"
    assert prepare_dataset(folder_settings(raw), tmp_path / "first", kept) is not None

    assert prepare_dataset(folder_settings(raw, fit="crop"), tmp_path / "second", kept) is not None

    assert "decoded before" not in capsys.readouterr().out


def test_a_name_with_a_carriage_return_survives_the_disk(tmp_path: Path) -> None:
    raw = make_folder(tmp_path / "raw", {"a": 10, "b": 10})
    (raw / "a/000.png").rename(raw / "a/0\r0.png")

    assert prepare_dataset(folder_settings(raw), tmp_path / "prepared") is None

    assert load_pictures(tmp_path / "prepared")["path"][0] == "a/0\r0.png"
