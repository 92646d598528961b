"""The pipeline and `add` where a computer is not as it is at home."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pictures import make_folder
from projects import Project

USED = "dvc repro split@dots && image-recipes add ../pets --name pets && dvc status data/raw/pets.dvc"


def use(root: Path, before: str = "", **changes: str | None) -> str:
    """Run a part of the pipeline and `add`, which must work, and return what the last command prints."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **changes}
    known = {name: value for name, value in environment.items() if value is not None}
    make_folder(root.parent / "pets", {"cat": 12, "dog": 12})
    done = subprocess.run(
        ["bash", "-c", before + USED], cwd=root, env=known, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "before", "changes"),
    [
        ("내 프로젝트 x", "", {"LC_ALL": "C", "LANG": "C"}),
        ("without a home", "umask 077; ", {"HOME": None}),
        ("of the future", "find data stages image_recipes -type f -exec touch -d 2040-01-01 {} +; ", {}),
    ],
)
def test_it_works_in(name: str, before: str, changes: dict[str, str | None], project: Project) -> None:
    root = project.root.rename(project.root.with_name(name))

    assert use(root, before, **changes) == "Data and pipelines are up to date."


@pytest.mark.slow
def test_it_works_by_a_link_and_in_a_worktree(project: Project) -> None:
    project.run("git", "worktree", "add", "--quiet", "../tree")
    link = project.root.with_name("link")
    link.symlink_to("tree")

    assert use(link, "cd ../link; ") == "Data and pipelines are up to date."


@pytest.mark.slow
def test_it_works_in_a_folder_of_a_larger_repository(project: Project) -> None:
    larger = project.root.with_name("larger")
    larger.mkdir()
    Project(larger).run("git", "init", "--quiet")
    inner = Project(shutil.copytree(project.root, larger / "inner", ignore=shutil.ignore_patterns(".git")))
    config = (inner.root / ".dvc/config").read_bytes()
    shutil.rmtree(inner.root / ".dvc")
    inner.run("dvc", "init", "--quiet", "--subdir")
    (inner.root / ".dvc/config").write_bytes(config)

    assert use(inner.root) == "Data and pipelines are up to date."
