"""Files are written whole or not at all."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from disks import ALONE, skip_without_namespaces
from image_recipes.core.errors import UserError
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


def test_what_a_killed_process_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    killed = (
        "import os, signal; from pathlib import Path; from image_recipes.core.files import written_whole\n"
        f"with written_whole(Path({str(file)!r})) as partial:\n"
        "    partial.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", killed]).returncode == -signal.SIGKILL
    assert [path.name.startswith(".partial-") for path in tmp_path.iterdir()] == [True]

    write_text("whole", file)

    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_two_that_write_the_same_file_do_not_share_a_partial_one(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"

    with written_whole(file) as first, written_whole(file) as second:
        first.write_text("first")
        second.write_text("second")
        write_text("third", file)
        assert (first.read_text(), second.read_text(), file.read_text()) == ("first", "second", "third")
        assert first.suffix == second.suffix == ".csv"

    # the second block ends first
    assert file.read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("name", ["n" * 251 + ".csv", "\u1112" * 85, "..."])
def test_the_longest_name_can_be_written(name: str, tmp_path: Path) -> None:
    assert len(name.encode()) in (255, 3)

    write_text("whole", tmp_path / name)

    assert (tmp_path / name).read_text() == "whole"


def test_a_longer_name_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long") as caught:
        write_text("whole", tmp_path / ("n" * 256))

    assert caught.value.filename == str(tmp_path / ("n" * 256))
    assert list(tmp_path.iterdir()) == []


def test_a_device_is_written_to_and_stays() -> None:
    with written_whole(Path("/dev/null")) as partial:
        assert partial == Path("/dev/null")
        partial.write_text("gone")

    assert Path("/dev/null").is_char_device()


def test_a_full_device_is_named() -> None:
    with pytest.raises(OSError, match="No space left on device") as caught:
        write_text("too much", Path("/dev/full"))

    assert caught.value.filename == "/dev/full"
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/fd/1", "link"])
@pytest.mark.parametrize("into", ["a pipe", "a file"])
def test_the_standard_output_is_written_to_and_stays(target: str, into: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/stdout")
    write = f"from image_recipes.core.files import *; write_text('said', Path({target!r}))"
    with (tmp_path / "out.txt").open("w") as file:
        output = file if into == "a file" else subprocess.PIPE
        done = subprocess.run([sys.executable, "-c", write], cwd=tmp_path, stdout=output, text=True, check=True)

    # what the shell has opened, which a file in its place would not be
    assert (tmp_path / "out.txt").read_text() == ("said" if into == "a file" else "")
    assert done.stdout == (None if into == "a file" else "said")
    assert (tmp_path / "link").is_symlink()
    assert Path("/dev/stdout").is_symlink()


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()

    write_text("said", tmp_path / "pipe")

    reader.join()
    assert read == ["said"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    for name in ("there", "links", "folder"):
        (tmp_path / name).mkdir()
    (tmp_path / "there/file.txt").write_text("before")
    (tmp_path / "links/file").symlink_to("../there/file.txt")
    (tmp_path / "links/again").symlink_to("file")
    (tmp_path / "links/new").symlink_to("../there/new.txt")
    (tmp_path / "links/folder").symlink_to(tmp_path / "folder")

    write_text("by the link", tmp_path / "links/again")
    write_text("new", tmp_path / "links/new")
    with written_whole(tmp_path / "links/folder") as partial:
        partial.mkdir()
        (partial / "inside").touch()

    assert (tmp_path / "there/file.txt").read_text() == "by the link"
    assert (tmp_path / "there/new.txt").read_text() == "new"
    assert (tmp_path / "folder/inside").exists()
    assert all(path.is_symlink() for path in (tmp_path / "links").iterdir())


def test_an_object_of_the_cache_stays_as_it_is(tmp_path: Path) -> None:
    stored = tmp_path / ".dvc/cache/files/md5/ab/cdef"
    stored.parent.mkdir(parents=True)
    stored.write_text("before")
    (tmp_path / "file").symlink_to(stored)

    write_text("other", tmp_path / "file")

    assert (stored.read_text(), (tmp_path / "file").read_text()) == ("before", "other")


def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(OSError, match="symbolic links") as caught:
        write_text("whole", tmp_path / "a")

    assert caught.value.filename == str(tmp_path / "a")


@pytest.mark.parametrize("name", ["folder", "link", "folder/."])
def test_a_folder_is_never_replaced_by_a_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/precious").touch()
    (tmp_path / "link").symlink_to("folder")

    with pytest.raises(UserError, match=r"is a folder, and a file is to be written: name a file in it"):
        write_text("whole", tmp_path / name)

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "link", "precious"]


def test_a_file_is_never_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")

    with (
        pytest.raises(UserError, match="is a file, and a folder is to be written"),
        written_whole(tmp_path / "file") as partial,
    ):
        partial.mkdir()

    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("path", ["..", ".", "/"])
def test_what_names_no_file_is_refused(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")

    with pytest.raises((UserError, OSError), match=r"folder|directory|busy|denied"):
        write_text("whole", Path(path))

    assert [found.name for found in tmp_path.rglob("*")] == ["deep"]


def test_a_file_among_the_parents_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NotADirectoryError) as caught:
        write_text("whole", tmp_path / "file/inside/x.txt")

    assert caught.value.filename == str(tmp_path / "file/inside/x.txt")


def test_an_error_names_what_was_to_be_written(tmp_path: Path) -> None:
    def fail(error: OSError) -> None:
        with written_whole(tmp_path / "wanted") as partial:
            for name in ("filename", "filename2"):
                if getattr(error, name) == "PARTIAL":
                    setattr(error, name, str(partial / "part.npy"))
            raise error

    full = (errno.ENOSPC, "No space left on device")
    # as write, open and shutil.copyfile raise it, and what was to be read and could not be
    for error, wanted in [
        (OSError(*full), "wanted"),
        (OSError(*full, "PARTIAL"), "wanted/part.npy"),
        (OSError(*full, "/source.png", None, "PARTIAL"), "wanted/part.npy"),
        (PermissionError(errno.EACCES, "Permission denied", "/source.png"), "/source.png"),
    ]:
        with pytest.raises(OSError, match=str(error.strerror)) as caught:
            fail(error)
        assert caught.value.filename == str(tmp_path / wanted)
        assert caught.value.errno == error.errno
        assert list(tmp_path.iterdir()) == []


ON_FULL_DISK = """
import os, subprocess, sys
import numpy as np, pandas as pd
from pathlib import Path
from image_recipes.core.files import reserve, save_table, write_text, written_whole

def fill(write):
    def run(file):
        with written_whole(file) as partial:
            write(partial)
    return run

def write_folder(folder):
    folder.mkdir()
    np.save(folder / "images.npy", np.zeros(10**6))

def write_map(file):
    array = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=(10**6,))
    reserve(file)
    array[:] = 1

os.chdir(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", "."], check=True)
os.chdir(sys.argv[1])
Path("big").write_bytes(bytes(2_900_000 if sys.argv[2] == "full" else 1_000_000))
rest = np.random.default_rng(0).random(10**6)
for name, write in {
    "text.txt": lambda file: write_text("x" * 10**7, file),
    "table.csv": lambda file: save_table(pd.DataFrame({"x": rest}), file),
    "array.npy": fill(lambda file: np.save(file, rest)),
    "arrays.npz": fill(lambda file: np.savez_compressed(file, x=rest)),
    "folder": fill(write_folder),
    "map.npy": fill(write_map),
}.items():
    try:
        write(Path(name))
    except OSError as error:
        print(error.filename, error.strerror, sep=": ")
print(sorted(os.listdir()))
"""


@pytest.mark.parametrize("how", ["full", "too small"])
def test_a_full_disk_is_told_with_the_name_of_what_was_wanted(how: str, tmp_path: Path) -> None:
    skip_without_namespaces()
    done = subprocess.run([*ALONE, sys.executable, "-c", ON_FULL_DISK, tmp_path, how], text=True, capture_output=True)

    assert done.stdout.splitlines() == [
        "text.txt: No space left on device",
        "table.csv: No space left on device",
        "array.npy: No space left on device",
        "arrays.npz: No space left on device",
        "folder/images.npy: No space left on device",
        "map.npy: No space left on device",
        "['big']",
    ], done.stderr


def test_what_numpy_says_of_a_full_disk_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # "6000000 requested and 1234 written", without a number
    usage = shutil.disk_usage(tmp_path)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    def fail() -> None:
        with written_whole(tmp_path / "x.npy") as partial:
            np.save(partial, np.zeros(3))
            raise OSError("6000000 requested and 1234 written")

    with pytest.raises(OSError, match="No space left on device") as caught:
        fail()

    assert caught.value.filename == str(tmp_path / "x.npy")


def test_a_folder_that_is_read_only_is_told(tmp_path: Path) -> None:
    skip_without_namespaces()
    script = (
        "import subprocess; from image_recipes.core.files import *\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'ro', 'none', 'there'], check=True)\n"
        "try: write_text('x', Path('there/x.txt'))\n"
        "except OSError as error: print(error.filename, error.strerror, sep=': ')"
    )
    (tmp_path / "there").mkdir()
    command = [*ALONE, sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=True)

    assert done.stdout == "there/x.txt: Read-only file system\n"
