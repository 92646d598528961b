"""Projects in folders of their own: a copy of this one at tiny sizes, with real git and real DVC."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent

# the lectures' recipes shrunk to two, one for each task, with everything else as it is
TINY_PARAMS = """\
heatmaps: true
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
    raw: data/raw/generated
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


# variables of this process that are not for those it starts: the first it has set for TensorFlow, the
# others are of the make that runs the tests
OUR_OWN = ("TF_CPP_MIN_LOG_LEVEL", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")


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
        for name in OUR_OWN:
            environment.pop(name, None)
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
        # the files of the cache are linked: DVC adds and removes some, but never writes into one
        cache = self.root / ".dvc/cache"
        shutil.copytree(
            self.root, root, symlinks=True, ignore=lambda folder, names: names if Path(folder) == cache else []
        )
        shutil.copytree(cache, root / ".dvc/cache", copy_function=os.link, dirs_exist_ok=True)
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


def load_yaml(file: Path) -> dict:
    """Read a YAML file."""
    return YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
