"""Projects in temporary folders: a clone of this one at tiny sizes, with real git and real DVC."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent

# the lectures' recipes shrunk to two, one for each task, with everything else as it is
TINY_PARAMS = """\
seed: 0
datasets:
  mnist:
    source: mnist
    task: classification
    raw: data/raw/mnist.npz
    samples: test
    split:
      train: 200
      validation: 60
      test: 60
  dots:
    source: dots
    task: regression
    raw: image_recipes/dots.py
    seed: 0
    size: 8
    samples: train
    split:
      train: 90
      validation: 30
      test: 30
recipes:
  tiny_class:
    dataset: mnist
    architecture: small
    start_from: data/weights/random
    epochs: 2
    batch_size: 32
    precision: float32
    jit_compile: auto
    optimizer:
      name: SGD
      learning_rate: 0.1
  tiny_number:
    dataset: dots
    architecture: pool
    start_from: data/weights/random
    epochs: 3
    batch_size: 32
    precision: float32
    jit_compile: auto
    optimizer:
      name: Adam
      learning_rate:
        name: CosineDecay
        initial_learning_rate: 0.01
architectures:
  small:
    - Conv2D:
        filters: 4
        kernel_size: 5
        strides: 3
        activation: relu
    - Dropout:
        rate: 0.1
    - Flatten:
  pool:
    - Conv2D:
        filters: 4
        kernel_size: 1
        activation: relu
    - GlobalAveragePooling2D:
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one test process make the finished project while the others run what does without it."""
    needing = [item for item in items if "finished" in getattr(item, "fixturenames", ())]
    first, later = needing[:1], {id(item) for item in needing[1:]}
    rest = [item for item in items if id(item) not in later and item not in first]
    items[:] = first + rest + needing[1:]


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own."""

    root: Path

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the project, with this Python's programs first on the path."""
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "200",
        }
        # this process has set it, for TensorFlow
        environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
        done = subprocess.run(command, cwd=self.root, env=environment, text=True, capture_output=True)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def fails(self, *command: str) -> str:
        """Run a command that must fail by a clear error, and return what it prints."""
        done = self.run(*command, check=False)
        output = done.stdout + done.stderr
        assert done.returncode != 0, output
        assert "Traceback" not in output, output
        return output

    def repro(self, *arguments: str) -> set[str]:
        """Run `dvc repro` and return the names of the stages that ran."""
        output = self.run("dvc", "repro", *arguments).stdout
        return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace text in a file; it must be there."""
        path = self.root / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    def copy(self, root: Path) -> "Project":
        """Copy the project with its history and cache."""
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root)


def make_project(root: Path, params: str) -> Project:
    """Make a project of this one's files as they are now, with other params and no results."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        made = name == "dvc.lock" or name.startswith(("metrics/", "plots/"))
        if not made and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    (root / "params.yaml").write_text(params, "utf-8")
    project = Project(root)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.run("git", "config", "user.name", "Tester")
    project.run("git", "config", "user.email", "tester@example.com")
    project.commit("Start")
    return project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A tiny project in which nothing has run yet."""
    return make_project(tmp_path / "project", TINY_PARAMS)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Project:
    """A tiny project with committed results; not to be changed. All test processes share it."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    root = shared / "finished"
    with FileLock(shared / "finished.lock"):
        if not (shared / "finished.done").exists():
            project = make_project(root, TINY_PARAMS)
            project.repro()
            project.commit("Results")
            (shared / "finished.done").touch()
    return Project(root)


@pytest.fixture
def playground(finished: Project, tmp_path: Path) -> Project:
    """A tiny project with committed results, to be changed at will."""
    return finished.copy(tmp_path / "playground")


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """A real browser: the system's Chromium, or else Playwright's own."""
    # here, since it comes with the extras
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # root may not use Chromium's sandbox
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def in_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A tiny project that is the current folder, for calls without a process of their own."""
    monkeypatch.chdir(project.root)
    return project


def load_yaml(file: Path) -> dict:
    """Read a YAML file."""
    return YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
