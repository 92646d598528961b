"""Copying by `add`: all or nothing, and what is there already stays."""

import errno
import os
import shutil
import signal
from pathlib import Path

import pytest

from calling import call, call_fails
from image_recipes.commands import add_copy, tracking
from image_recipes.commands.params_file import changing_params
from pictures import make_folder, make_table, noise
from projects import Project


@pytest.fixture
def tracked(in_bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in which DVC is not asked to track anything, which takes a process each."""
    monkeypatch.setattr("image_recipes.commands.add.track", lambda *_: None)
    Path("data/weights").mkdir(parents=True)
    Path("data/weights/random").touch()
    return in_bare_project


def contents(*folders: str) -> dict[str, bytes]:
    files = [file for folder in folders for file in Path(folder).rglob("*") if file.is_file()]
    return {file.as_posix(): file.read_bytes() for file in [*files, Path("params.yaml")]}


@pytest.mark.parametrize("failure", ["copying", "tracking"])
def test_an_add_that_fails_leaves_everything_as_it_was(
    failure: str, tracked: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    call("add", str(pets), "--name", "pets")
    before = contents("data")
    make_folder(pets, {"cat": 14, "fox": 12}, start=500)
    (pets / "dog/000.png").unlink()
    copies = []

    def fail_at_the_tenth(source: Path, target: Path) -> None:
        copies.append(source)
        if failure == "copying" and len(copies) == 10:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        shutil.copyfile(source, target)

    def fail(*_: object) -> None:
        raise OSError(errno.EACCES, "Permission denied", "dvc")

    monkeypatch.setattr(add_copy.shutil, "copy2", fail_at_the_tenth)
    if failure == "tracking":
        monkeypatch.setattr("image_recipes.commands.add.track", fail)

    output = call_fails("add", str(pets), "--name", "pets", "--mirror")

    assert "nothing was changed" in output
    assert contents("data") == before
    assert not list(Path("data/raw").glob(".partial-*"))


def test_the_same_pictures_are_not_read_again(
    tracked: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    call("add", str(pets), "--name", "pets")
    monkeypatch.setattr(add_copy.filecmp, "cmp", lambda *_, **__: pytest.fail("read again"))

    assert "data/raw/pets: 24 as before" in call("add", str(pets), "--name", "pets").stdout


def test_a_change_that_keeps_the_size_is_seen(tracked: Project, tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    for file in pets.rglob("*.png"):
        noise(int(file.stem) + (500 if "dog" in str(file) else 0)).save(file.with_suffix(".bmp"))
        file.unlink()
    call("add", str(pets), "--name", "pets")
    shutil.copyfile(pets / "dog/003.bmp", pets / "cat/003.bmp")
    os.utime(pets / "cat/004.bmp")

    assert "1 changed, 23 as before" in call("add", str(pets), "--name", "pets").stdout


def test_pictures_that_lie_in_data_raw_stay_there(tracked: Project, tmp_path: Path) -> None:
    raw = make_folder(Path("data/raw/pets"), {"cat": 12, "dog": 12})

    said = call("add", str(raw), "--name", "pets").stdout

    assert "data/raw/pets: 24 as before" in said
    call("check", "pets_cnn")


def test_a_table_in_data_raw_stays_as_it_is(tracked: Project, tmp_path: Path) -> None:
    raw = make_folder(Path("data/raw/sizes"), {"p": 24})
    table = make_table(raw, [f"{number:03};{number / 7:.3f}".replace(".", ",") for number in range(24)], header="id;cm")
    before = table.read_bytes()

    said = call("add", str(table), "--name", "sizes", "--decimal", "comma").stdout

    assert table.read_bytes() == before
    assert "the table is written as data/raw/sizes/labels-read.csv, as it was understood" in said
    assert "p/003.png,0.429" in (raw / "labels-read.csv").read_text()
    call("check", "sizes_cnn")


def test_what_a_killed_add_had_taken_out_is_put_back(tracked: Project, tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    call("add", str(pets), "--name", "pets")
    old = Path("data/raw/.partial-pets/old/dog/004.png")
    old.parent.mkdir(parents=True)
    Path("data/raw/pets/dog/004.png").rename(old)
    (pets / "dog/004.png").unlink()

    call("add", str(pets), "--name", "pets")

    assert Path("data/raw/pets/dog/004.png").exists()
    assert not Path("data/raw/.partial-pets").exists()


def test_an_add_that_is_told_to_stop_leaves_everything_as_it_was(
    tracked: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    call("add", str(pets), "--name", "pets")
    before = contents("data")
    make_folder(pets, {"fox": 12}, start=500)
    monkeypatch.setattr("image_recipes.commands.add.track", lambda *_: os.kill(os.getpid(), signal.SIGTERM))

    call_fails("add", str(pets), "--name", "pets", exit_code=128 + signal.SIGTERM)

    assert contents("data") == before
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_picture_that_changes_behind_its_link_is_no_longer_tracked(tracked: Project, tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    call("add", str(pets), "--name", "pets", "--link")
    folder = Path("data/raw/pets")
    Path("data/raw/pets.dvc").write_text("outs: []\n")
    before = tracking.fingerprint(folder)
    assert tracking.fingerprint(folder) == before

    noise(900).save(pets / "cat/003.png")

    assert tracking.fingerprint(folder) != before


@pytest.mark.parametrize("kind", ["file", "folder", "table"])
def test_a_link_out_of_its_folder_is_refused_unless_it_is_meant(kind: str, tracked: Project, tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    make_folder(tmp_path / "private", {"me": 12}, start=500)
    given, link = pets, pets / "dog/me.png"
    if kind == "folder":
        link = pets / "me"
        link.symlink_to(tmp_path / "private/me")
        named = f"{link / '000.png'}: 12 links lead"
    else:
        link.symlink_to("../../private/me/000.png")
        named = f"{link}: a link leads"
    if kind == "table":
        files = [
            f"{file.relative_to(pets)},{len(file.parent.name + file.name)}" for file in sorted(pets.rglob("*.png"))
        ]
        given = make_table(pets, files)

    output = call_fails("add", str(given), "--name", "pets")

    assert f"error: {named} out of the folder, to {tmp_path / 'private/me/000.png'}: " in output
    assert "remove what is not yours, or say --follow-links" in output
    assert not Path("data/raw").exists()
    call("add", str(given), "--name", "pets", "--follow-links")
    content = (tmp_path / "private/me/000.png").read_bytes()
    [copied] = [file for file in Path("data/raw/pets").rglob("*") if file.is_file() and file.read_bytes() == content]
    assert not copied.is_symlink()


def test_a_link_within_the_folder_is_a_picture(tracked: Project, tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    (pets / "dog/again.png").symlink_to("000.png")
    (tmp_path / "by link").symlink_to("pets")

    assert "25 new" in call("add", str(tmp_path / "by link"), "--name", "pets").stdout


def test_a_link_out_of_data_raw_is_refused_whatever_it_is(tracked: Project, tmp_path: Path) -> None:
    raw = make_folder(Path("data/raw/pets"), {"cat": 12, "dog": 12})
    (tmp_path / "secret.txt").write_text("secret")
    # no picture, but DVC tracks the whole folder
    (raw / "cat/notes.txt").symlink_to(tmp_path / "secret.txt")

    output = call_fails("add", str(raw), "--name", "pets")

    assert f"data/raw/pets/cat/notes.txt: a link leads out of the folder, to {tmp_path / 'secret.txt'}" in output
    (raw / "cat/notes.txt").unlink()
    (raw / "cat/notes.png").symlink_to(tmp_path / "cat.png")
    noise(700).save(tmp_path / "cat.png")
    assert "data/raw/pets/cat/notes.png: a link leads out" in call_fails("add", str(raw), "--name", "pets")
    assert "25 as before" in call("add", str(raw), "--name", "pets", "--follow-links").stdout


def test_links_that_add_has_made_are_no_reason_to_refuse(tracked: Project, tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})
    call("add", str(pets), "--name", "pets", "--link")

    assert "24 as before" in call("add", str(pets), "--name", "pets").stdout
    more = make_folder(tmp_path / "more", {"fox": 6, "cow": 6}, start=500)
    assert "12 new, 24 only in" in call("add", str(more), "--name", "pets", "--link").stdout


def test_two_at_once_are_refused(tracked: Project, tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12})

    with changing_params():
        outputs = [call_fails("add", str(pets), "--name", "pets"), call_fails("remove", "tiny_class")]

    assert set(outputs) == {f"error: process {os.getpid()} is changing params.yaml: wait until it has ended\n"}
    assert not Path("data/raw").exists()
    call("add", str(pets), "--name", "pets")
