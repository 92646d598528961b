"""Files are written whole or not at all."""

from pathlib import Path

import pandas as pd
import pytest

from image_recipes.core.files import save_table, write_text, written_whole


def write_half(path: Path, file: str) -> None:
    """Begin to write a file, or a folder of a file, and fail."""
    with written_whole(path) as partial:
        (partial / file).parent.mkdir(exist_ok=True)
        (partial / file).write_text("half", "utf-8")
        raise RuntimeError("a full disk")


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    write_text("before", tmp_path / "deep/file.txt")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/old").touch()

    for path, file in [("deep/file.txt", ""), ("folder", "new")]:
        with pytest.raises(RuntimeError, match="a full disk"):
            write_half(tmp_path / path, file)

    assert (tmp_path / "deep/file.txt").read_text("utf-8") == "before"
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "deep",
        "deep/file.txt",
        "folder",
        "folder/old",
    ]


def test_a_folder_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/old").touch()
    # left by a run that was killed
    (tmp_path / ".partial-folder").mkdir()
    (tmp_path / ".partial-folder/left").touch()

    with written_whole(tmp_path / "folder") as partial:
        partial.mkdir()
        (partial / "new").touch()

    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_table_has_seven_digits(tmp_path: Path) -> None:
    save_table(pd.DataFrame({"epoch": [1, 2], "loss": [1 / 3, 2e-9]}), tmp_path / "plots/table.csv")

    assert (tmp_path / "plots/table.csv").read_text("utf-8") == "epoch,loss\n1,0.3333333\n2,2e-09\n"


def test_a_table_with_a_carriage_return_can_be_read_back(tmp_path: Path) -> None:
    table = pd.DataFrame({"class": ["a\rb", "007"], "f1": [0.5, 1.0]})

    save_table(table, tmp_path / "t.csv")

    assert pd.read_csv(tmp_path / "t.csv", dtype={"class": str}).to_dict("list") == table.to_dict("list")
