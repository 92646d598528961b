"""Archives: taken as what is in them, and refused where they cannot be trusted."""

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from adding import refuse, understand
from calling import call
from image_recipes.core.locks import LOCKS_FOLDER
from image_recipes.intake import archive
from pictures import make_folder, make_table
from projects import Project

pytestmark = pytest.mark.usefixtures("in_bare_project")


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "xztar"])
def test_an_archive_is_what_is_in_it(kind: str, in_bare_project: Project, tmp_path: Path) -> None:
    Path("data").mkdir()
    make_folder(tmp_path / "x/pets", {"cat": 12, "나팔꽃": 12})
    packed = shutil.make_archive(str(tmp_path / "pets"), kind, tmp_path / "x")

    lines = understand(Path(packed))

    assert "looked through pets" in lines
    assert "2 classes: cat 12, 나팔꽃 12" in lines
    assert "data/raw/x: 24 new" in lines
    # nothing of what was unpacked
    assert list(Path("data").iterdir()) == [LOCKS_FOLDER]
    assert [file.suffix for file in LOCKS_FOLDER.iterdir()] == [".lock"]


def test_pictures_of_an_archive_are_copied(
    in_bare_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("image_recipes.commands.add.track", lambda *_: None)
    folder = make_folder(tmp_path / "x/p", {"cat": 12, "dog": 12})
    make_table(folder, [f"cat/{number:03}.png,{number / 7}" for number in range(12)])
    packed = shutil.make_archive(str(tmp_path / "pets"), "zip", tmp_path / "x")

    call("add", packed, "--name", "pets")
    call("add", packed, "--name", "sizes", "--target", "target")

    assert len(list(Path("data/raw/pets").rglob("*.png"))) == 24
    assert sorted(file.suffix for file in Path("data/raw/sizes").rglob("*.*")) == [".csv", *[".png"] * 12]


def test_names_of_old_archives_are_read(tmp_path: Path) -> None:
    Path("data").mkdir()
    file = make_folder(tmp_path, {"a": 1}) / "a/000.png"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name in ["ABCDEF", "UVWXYZ"]:
            for number in range(12):
                packed.writestr(f"{name}/{number}.png", file.read_bytes())
    # as Korean Windows writes names, without saying so
    content = stream.getvalue()
    for placeholder, other in [(b"ABCDEF", "나팔꽃"), (b"UVWXYZ", "장미꽃")]:
        content = content.replace(placeholder, other.encode("cp949"))
    (tmp_path / "old.zip").write_bytes(content)

    lines = understand(tmp_path / "old.zip")

    assert "names in the archive: encoding CP949, by their letters" in lines
    assert "2 classes: 나팔꽃 12, 장미꽃 12" in lines


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "..\\evil.png", "C:\\evil.png"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_what_leads_out_of_an_archive_is_refused(kind: str, name: str, tmp_path: Path) -> None:
    Path("data").mkdir()
    packed = tmp_path / f"x.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as file:
            file.writestr(name, b"x")
    else:
        with tarfile.open(packed, "w") as tar:
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))

    assert "which leads out of its folder: do not trust it" in refuse(packed)
    assert not list(tmp_path.rglob("evil*"))


def test_links_of_a_tar_are_not_followed(tmp_path: Path) -> None:
    Path("data").mkdir()
    make_folder(tmp_path / "x", {"a": 12, "b": 12})
    (tmp_path / "x/a/link.png").symlink_to("/etc/passwd")
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(tmp_path / "x", "x")

    assert "2 classes: a 12, b 12" in understand(tmp_path / "x.tar")


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("data").mkdir()
    monkeypatch.setattr(archive, "BYTES_WITHOUT_LIMIT", 2**20)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/0.png", bytes(2**22))

    assert "no archive of pictures, or a bomb" in refuse(tmp_path / "x.zip")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.zip", b"PK\x03\x04 nothing", "no archive, a damaged one, or with a password"),
        ("x.tar.gz", b"nothing", "no archive, a damaged one, or with a password"),
        ("x.rar", b"Rar!", "archives of this kind are not read: unpack it first"),
    ],
)
def test_damaged_and_other_archives_are_refused(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)

    assert message in refuse(tmp_path / name)


def test_a_damaged_tar_is_refused_and_not_taken_in_part(tmp_path: Path) -> None:
    Path("data").mkdir()
    make_folder(tmp_path / "x", {"a": 12, "b": 12})
    packed = Path(shutil.make_archive(str(tmp_path / "x"), "tar", tmp_path, "x"))
    content = bytearray(packed.read_bytes())
    middle = content.index(b"ustar", len(content) // 2)
    content[middle - 100 : middle - 60] = b"\xff" * 40
    packed.write_bytes(content)

    assert "damaged after its first" in refuse(packed)


def test_hard_links_of_a_tar_are_pictures(tmp_path: Path) -> None:
    Path("data").mkdir()
    make_folder(tmp_path / "x", {"a": 12, "b": 12})
    (tmp_path / "x/a/again.png").hardlink_to(tmp_path / "x/a/000.png")
    packed = shutil.make_archive(str(tmp_path / "x"), "tar", tmp_path, "x")

    assert "2 classes: a 13, b 12" in understand(Path(packed))


@pytest.mark.parametrize("names", [["."], ["a/0.png", "a/0.png"], ["a", "a/0.png"]])
def test_odd_entries_are_no_crash(names: list[str], tmp_path: Path) -> None:
    Path("data").mkdir()
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))

    assert "x.tar: " in refuse(tmp_path / "x.tar")


def test_a_table_beside_its_pictures_in_an_archive_is_read(tmp_path: Path) -> None:
    Path("data").mkdir()
    folder = make_folder(tmp_path / "x", {"p": 24})
    make_table(folder, [f"p/{number:03}.png,{'ab'[number % 2]}" for number in range(24)])
    packed = shutil.make_archive(str(tmp_path / "pets"), "zip", folder)

    assert "2 classes: a 12, b 12" in understand(Path(packed))


def test_the_table_of_an_archive_is_copied_not_the_archive(
    in_bare_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("image_recipes.commands.add.track", lambda *_: None)
    folder = make_folder(tmp_path / "x", {"p": 24})
    table = make_table(folder, [f"p/{number:03}.png,{'ab'[number % 2]}" for number in range(24)])
    packed = shutil.make_archive(str(tmp_path / "pets"), "zip", folder)

    call("add", packed, "--name", "pets", "--target", "target")

    assert Path("data/raw/pets/labels.csv").read_bytes() == table.read_bytes()
