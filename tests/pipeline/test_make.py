"""The Makefile: what a newcomer types first."""

import shutil
import sys

import pytest

from projects import ROOT, Project


@pytest.fixture
def beginning(in_bare_project: Project) -> Project:
    """What make looks at before anything runs: no more than its own files and params.yaml."""
    for name in ["Makefile", "develop.mk", "pyproject.toml", "requirements.lock"]:
        shutil.copy2(ROOT / name, in_bare_project.root / name)
    return in_bare_project


def link_environment(project: Project) -> None:
    """Give the project this Python's environment as its .venv."""
    (project.root / ".venv").symlink_to(sys.prefix)


def make(project: Project, *arguments: str) -> str:
    """Run make as if .venv were up to date."""
    return project.run("make", "--old-file=.venv/.installed", *arguments).stdout


def test_make_alone_lists_the_targets(beginning: Project) -> None:
    listed = beginning.run("make").stdout

    for target in ["repro", "extras", "test", "test-all", "lint", "check-lock", "lock", "licences", "audit"]:
        assert f"make {target} " in listed


def test_an_unsuitable_python_is_named(beginning: Project) -> None:
    output = beginning.fails("make", "install", "PYTHON=/bin/false")

    assert "error: Python 3.11, 3.12 or 3.13 is needed, but /bin/false is" in output
    assert not (beginning.root / ".venv").exists()


def test_an_unknown_recipe_is_named_before_anything_runs(beginning: Project) -> None:
    link_environment(beginning)
    for name in ["data/raw/mnist.npz", "data/raw/generated", "data/weights/random"]:
        (beginning.root / name).parent.mkdir(parents=True, exist_ok=True)
        (beginning.root / name).touch()

    output = beginning.fails("make", "--old-file=.venv/.installed", "repro", "RECIPE=tiny_numbers")

    assert "error: params.yaml: no recipe or dataset 'tiny_numbers': did you mean 'tiny_number'?" in output
    # DVC is not asked: this folder is no project of its
    assert "DVC" not in output


def test_bad_params_are_named_before_dvc_reads_them(beginning: Project) -> None:
    link_environment(beginning)
    beginning.edit("params.yaml", "dataset: dots", "dataset: dotz")

    output = beginning.fails("make", "--old-file=.venv/.installed", "repro")

    assert "error: params.yaml: recipes.tiny_number.dataset: no dataset 'dotz': did you mean 'dots'?" in output
    assert "DVC" not in output


@pytest.mark.slow
def test_one_recipe_runs_just_what_it_needs(project: Project) -> None:
    link_environment(project)

    output = make(project, "repro", "RECIPE=tiny_number")

    ran = {line.split()[0] for line in output.splitlines() if line.endswith(" s  run")}
    assert ran == {"check", *(f"{stage}@dots" for stage in ["prepare", "split", "baseline"])} | {
        f"{stage}@tiny_number" for stage in ["train", "evaluate", "plot"]
    }
    assert (project.root / "plots/tiny_number/gallery.png").exists()
    assert (project.root / "plots/samples/dots.png").exists()
    assert " s  run" not in make(project, "repro", "RECIPE=tiny_number")
    assert "Running stage 'compare@dots'" in make(project, "repro", "DATASET=dots", "VERBOSE=1")
    assert "7 stages" in make(project, "repro", "RECIPE=tiny_number")
