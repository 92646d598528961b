"""`image-recipes new`: a project of one's own, with the stages and code of this one and nothing of its pictures."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from image_recipes.commands.tracking import add_to_cache
from image_recipes.core.errors import UserError
from image_recipes.core.files import written_whole
from image_recipes.core.params import read_params
from image_recipes.models.recipe import WEIGHTS_FOLDER

# what runs the pipeline and explains it; not what shows or tests the lectures
CARRIED = (
    ".dvc/.gitignore",
    ".dvc/plots",
    ".dvcignore",
    ".gitignore",
    "LICENSE",
    "Makefile",
    "docs",
    "dvc.yaml",
    "image_recipes",
    "pyproject.toml",
    "requirements-extras.lock",
    "requirements.lock",
    "stages",
)
TEXTS = {
    # without the other's remotes; a picture and its copy in DVC's cache are one on disk
    ".dvc/config": '[core]\n    analytics = false\n[cache]\n    type = "hardlink,reflink,copy"\n',
    "params.yaml": """\
# Everything a run depends on. `dvc repro` reruns just the recipes whose values changed.

# of training: the first weights, the order of the pictures, dropout
seed: 0

# show where in its worst errors each model looked: a few seconds a recipe
heatmaps: true

# `image-recipes add` writes what follows, and you may change it
datasets: {}

recipes: {}

# each is a list of `keras.layers`, first to last, with their arguments
architectures: {}
""",
    "published.yaml": "# Figures that others have published, by recipe and metric; tables show them beside yours.\n",
}
# of the new project
READMES = Path(__file__).parent / "templates"


def make_project(path: Path) -> None:
    """Make a project in a new folder, as a Git repository, whole or not at all, and say what comes next.

    Args:
        path: the folder, which is not there, or empty.

    Raises:
        UserError: no project can be made there, or Git or DVC fails.
    """
    read_params()
    target = path.resolve()
    _check_place(path, target)
    with written_whole(target) as partial:
        partial.mkdir()
        _run(partial, "git", "init", "--quiet", "--initial-branch", "main")
        _check_identity(partial)
        # what DVC passes over is no part of the code
        passed_over = shutil.ignore_patterns(*Path(".dvcignore").read_text("utf-8").split())
        for name in CARRIED:
            (partial / name).parent.mkdir(exist_ok=True)
            if Path(name).is_dir():
                shutil.copytree(name, partial / name, ignore=passed_over)
            else:
                shutil.copy2(name, partial / name)
        for name, text in TEXTS.items():
            (partial / name).write_text(text, "utf-8")
        for readme in READMES.iterdir():
            text = readme.read_text("utf-8").format(name=target.name)
            (partial / readme.name).write_text(text, "utf-8")
        weights = _bring_weights(partial)
        _run(partial, "git", "add", "--all")
        _run(partial, "git", "commit", "--quiet", "--message", "Start a project of my own")
    print(f"{path}: a project of your own, with a first commit")
    for name in weights:
        print(f"{path}: weights to start from: {name}")
    # which sets up .venv, too
    first = "install" if weights else "weights"
    print(f"next: cd {shlex.quote(str(path))} && make {first} && source .venv/bin/activate")
    print("next: image-recipes add PATH --name NAME")
    print("next: make repro")


def _check_place(path: Path, target: Path) -> None:
    if target.is_relative_to(Path.cwd().resolve()):
        raise UserError(f"{path}: lies in this project: name a folder outside of it, such as ../plants")
    if target.name.lower() == ".git" or ":" in str(target) or not target.name.isprintable():
        # a colon divides the entries of PATH, in which .venv has to be
        named = target if ":" in str(target.parent) else path
        raise UserError(f"{str(named)!r}: no name for a project: use letters, digits, - and _")
    if not target.parent.is_dir():
        raise UserError(f"{path}: there is no folder {target.parent}: make it first, or correct the path")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise UserError(f"{path}: you may not write in {target.parent}: name a folder elsewhere")
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise UserError(f"{path}: is there, and not an empty folder: choose another name")


def _check_identity(folder: Path) -> None:
    known = subprocess.run(["git", "var", "GIT_COMMITTER_IDENT"], cwd=folder, text=True, capture_output=True)
    if known.returncode:
        raise UserError(
            "Git does not know who you are, which it writes into each commit: tell it by "
            '`git config --global user.name "Your Name"` and `git config --global user.email you@example.com`'
        )


def _bring_weights(folder: Path) -> list[str]:
    """Copy the weights that are here, have DVC track what it tracks here, and return their names."""
    tracked = []
    (folder / WEIGHTS_FOLDER).mkdir(parents=True)
    for file in sorted(WEIGHTS_FOLDER.iterdir()):
        if file.is_file() and file.suffix != ".dvc" and not file.name.startswith("."):
            shutil.copy2(file, folder / file)
            if Path(f"{file}.dvc").exists():
                tracked.append(file.name)
    for name in tracked:
        add_to_cache(folder / WEIGHTS_FOLDER / name)
    return tracked


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise UserError(f"{' '.join(command[:2])} failed, so no project was made: {said}")
