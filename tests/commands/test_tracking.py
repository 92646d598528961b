"""What DVC tracks is in its cache, or the command fails and leaves nothing."""

import re
import shutil
from pathlib import Path

import pytest

from disks import run_on_full_disk
from image_recipes.commands.tracking import add_to_cache
from image_recipes.core.errors import UserError
from pictures import make_folder
from projects import Project

SIZE = (200, 150)


@pytest.fixture
def dvc_alone(tmp_path: Path) -> Project:
    """A folder with params.yaml in which Git and DVC work, and nothing else."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "params.yaml").write_text(
        "heatmaps: true\nseed: 0\ndatasets: {}\nrecipes: {}\narchitectures: {}\n", "utf-8"
    )
    (root / "data/weights").mkdir(parents=True)
    (root / "data/weights/random").touch()
    project = Project(root)
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    project.run("dvc", "config", "cache.type", "hardlink,copy")
    return project


def test_an_add_that_dvc_has_no_room_for_fails_and_leaves_nothing(dvc_alone: Project, tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12}, size=SIZE)
    before = {file: file.read_bytes() for file in dvc_alone.root.rglob("*") if file.is_file()}

    done = run_on_full_disk(dvc_alone, ".dvc/cache", 500_000, "image-recipes", "add", str(pets), "--name", "pets")

    assert done.code == 1
    [error] = [line for line in done.output.splitlines() if line.startswith("error:")]
    assert re.match(r"error: data/raw/pets: \d+ files of it, such as \S+: could not be stored by DVC: No space", error)
    assert "Traceback" not in done.output
    # no half of a file, and what is whole there is of use to the next
    assert not [file for file in done.files if file.endswith(".tmp")]
    after = {file: file.read_bytes() for file in before}
    assert after == before
    assert not (dvc_alone.root / "data/raw").exists()
    dvc_alone.run("image-recipes", "add", str(pets), "--name", "pets")
    assert "not in cache" not in dvc_alone.run("dvc", "status").stdout


def test_pictures_whose_dvc_file_is_gone_are_tracked_again(dvc_alone: Project, tmp_path: Path) -> None:
    pets = make_folder(tmp_path / "pets", {"cat": 12, "dog": 12}, size=SIZE)
    dvc_alone.run("image-recipes", "add", str(pets), "--name", "pets")
    file = dvc_alone.root / "data/raw/pets.dvc"
    tracked = file.read_bytes()
    file.unlink()

    dvc_alone.run("image-recipes", "add", str(pets), "--name", "pets")

    assert file.read_bytes() == tracked


@pytest.mark.parametrize("kind", ["picture", "list"])
def test_an_object_of_the_cache_that_is_damaged_is_told(
    kind: str, dvc_alone: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(dvc_alone.root)
    make_folder(Path("data/raw/pets"), {"cat": 3})
    shutil.copytree("data/raw/pets", tmp_path / "pets")
    add_to_cache(Path("data/raw/pets"))
    objects = [file for file in Path(".dvc/cache/files/md5").resolve().rglob("*") if file.is_file()]
    wanted = (tmp_path / "pets/cat/001.png").read_bytes()
    [damaged] = [file for file in objects if (file.suffix == ".dir" if kind == "list" else file.read_bytes() == wanted)]
    shutil.rmtree("data/raw/pets")
    shutil.copytree(tmp_path / "pets", "data/raw/pets")
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[:30])
    # by which DVC takes it for good
    damaged.chmod(0o444)

    with pytest.raises(
        UserError, match=f"^{damaged}: damaged, an object of DVC's cache: remove it, and do this again$"
    ):
        add_to_cache(Path("data/raw/pets"))
