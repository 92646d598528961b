"""Decoding many files: those that are found, in order, and what becomes of bad ones."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.errors import UserError
from image_recipes.data import decode_pool
from image_recipes.data.decode import Region, Shape
from image_recipes.data.decode_pool import decode_all
from image_recipes.data.picture_files import find_files
from pictures import make_folder, noise

SHAPE = Shape(30, 40, 3, "stretch", Region(left=0, top=0, right=1, bottom=1))


def test_files_and_those_below_folders_are_found(tmp_path: Path) -> None:
    make_folder(tmp_path, {"b": 2, "a/deep": 1, ".hidden": 1})
    for name in ["b/notes.txt", "b/.000.png", "b/LOUD.JPG"]:
        (tmp_path / name).touch()

    # a file that is named is taken, whatever it is
    found = find_files([tmp_path / "b/notes.txt", tmp_path]).pictures

    names = [file.relative_to(tmp_path).as_posix() for file in found]
    assert names == ["b/notes.txt", "a/deep/000.png", "b/000.png", "b/001.png", "b/LOUD.JPG"]
    with pytest.raises(UserError, match="nowhere: not found"):
        find_files([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty: no pictures in it: .*\.jpeg, .*\.png"):
        find_files([tmp_path / "empty"])


def test_each_file_has_a_report(tmp_path: Path) -> None:
    files = sorted((make_folder(tmp_path, {"a": 3}) / "a").iterdir())
    files[1].write_bytes(b"no picture")

    (first, picture), (bad, none), (last, _) = decode_all(files, SHAPE, "test")

    np.testing.assert_array_equal(picture, np.asarray(noise(0)))
    assert first.sha256 == hashlib.sha256(files[0].read_bytes()).hexdigest()
    assert (first.error, first.width, first.height, last.error) == ("", 40, 30, "")
    assert bad.error.startswith("not a picture")
    assert none is None


def test_a_lack_of_memory_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted((make_folder(tmp_path, {"a": 3}) / "a").iterdir())

    def decode_in_vain(content: bytes, shape: Shape) -> None:
        raise MemoryError

    monkeypatch.setattr(decode_pool, "decode", decode_in_vain)

    with pytest.raises(UserError, match=r"000\.png: this picture or one of the next took more memory than there is"):
        list(decode_all(files, SHAPE, "test"))
