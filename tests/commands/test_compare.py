"""`image-recipes compare`: is one really better, between commits, experiments and recipes?"""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calling import call, call_fails
from image_recipes.commands.compare import RecipeAt
from projects import Project

PREDICTIONS = {
    "tiny_class": "data/predictions/mnist/tiny_class.csv",
    "tiny_number": "data/predictions/dots/tiny_number.csv",
}


@pytest.fixture
def in_playground(playground: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A tiny project with committed results, to be changed at will, as the current folder."""
    monkeypatch.chdir(playground.root)
    return playground


def spoil(recipe: str) -> None:
    """Have a recipe's predictions be far off, in the workspace alone."""
    file = Path(PREDICTIONS[recipe])
    table = pd.read_csv(file, dtype={"real": str, "predicted": str} if recipe == "tiny_class" else None)
    table["predicted"] = "9" if recipe == "tiny_class" else table["predicted"] + 50
    # DVC links a file to its cache
    file.unlink()
    table.to_csv(file, index=False)


def test_a_side_is_a_revision_a_recipe_or_both() -> None:
    assert RecipeAt.parse("main") == ("main", None)
    assert RecipeAt.parse("main:net") == ("main", "net")
    assert RecipeAt.parse("workspace") == RecipeAt.parse("workspace:") == RecipeAt.parse("") == ("", None)
    assert RecipeAt.parse(":net") == ("", "net")


def test_the_workspace_is_compared_with_a_commit(in_playground: Project) -> None:
    output = call("compare", "main").stdout
    assert sorted(output.strip().removeprefix("the same predictions: ").split(", ")) == ["tiny_class", "tiny_number"]

    spoil("tiny_number")
    heading, row, *remarks = call("compare", "main").stdout.splitlines()

    assert heading.split() == ["recipe", "metric", "main", "workspace", "p", "(Holm)", "verdict"]
    recipe, metric, before, after, p, *verdict = row.split()
    assert (recipe, metric) == ("tiny_number", "mse")
    assert float(after.replace(",", "")) < float(before.replace(",", ""))
    assert float(p) < 0.05
    assert " ".join(verdict) == "workspace:tiny_number is better than main:tiny_number"
    assert remarks == ["the same predictions: tiny_class"]


def test_recipes_of_both_tasks_are_compared_at_once(in_playground: Project) -> None:
    for recipe in PREDICTIONS:
        spoil(recipe)

    lines = call("compare", "workspace", "main").stdout.splitlines()

    assert lines[0].split()[2:4] == ["workspace", "main"]
    assert sorted(line.split()[:2] for line in lines[1:]) == [["tiny_class", "accuracy"], ["tiny_number", "mse"]]


def test_what_only_one_side_has_is_said(in_playground: Project) -> None:
    shutil.copy(PREDICTIONS["tiny_class"], "data/predictions/mnist/another.csv")

    assert call("compare", "main").stdout.splitlines()[1:] == ["only workspace has another"]


def test_predictions_of_earlier_versions_are_compared_too(in_playground: Project) -> None:
    file = Path(PREDICTIONS["tiny_number"])
    table = pd.read_csv(file)
    file.unlink()
    table[table.pop("split") == "test"].to_csv(file, index=False)

    assert "tiny_number" in call("compare", "main:tiny_number").stdout.partition("the same predictions: ")[2]


def test_other_pictures_under_the_same_numbers_are_noticed(in_playground: Project) -> None:
    spoil("tiny_number")
    file = Path("data/prepared/dots/images.npy")
    images = np.load(file)
    images[0] = 255 - images[0]
    file.unlink()
    np.save(file, images)

    output = call_fails("compare", "main:tiny_number")

    assert "main:tiny_number and workspace:tiny_number cannot be compared: they were tested on different" in output
    # without the pictures just their labels tell
    file.unlink()
    output = call("compare", "main:tiny_number").stdout
    assert "tiny_number: the pictures themselves are not here: only their labels were compared" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["main:tiny_class", ":tiny_number"], "cannot be compared: they are of mnist and dots"),
        (["main:tiny_class", "main:tiny_class"], "compared with itself: name another revision or another recipe"),
        (["nowhere"], "error: nowhere: no such commit, branch, tag or experiment"),
        (["main:tiny_clas"], "error: main: no predictions of 'tiny_clas': did you mean 'tiny_class'?"),
        # the commit before the first results
        (["HEAD~1:tiny_class"], "`dvc repro evaluate@tiny_class` after `git checkout HEAD~1`"),
    ],
)
def test_what_cannot_be_compared_is_named(
    arguments: list[str], message: str, finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.root)

    assert message in call_fails("compare", *arguments)


def test_what_is_not_here_is_told_in_one_line(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.root)

    (line,) = call_fails("compare", "HEAD~1").splitlines()

    assert re.fullmatch(
        r"error: HEAD~1: the predictions of (tiny_\w+), (tiny_\w+) are not here: make them by "
        r"`dvc repro evaluate@\1 evaluate@\2` after `git checkout HEAD~1` .*, or get them from a remote",
        line,
    )


def test_a_clone_with_the_data_of_one_dataset_alone_compares_it(
    playground: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playground.run("dvc", "remote", "add", "--default", "storage", str(tmp_path / "storage"))
    playground.commit("Name the remote")
    playground.run("dvc", "push", "--with-deps", "plot@tiny_class", "compare@mnist")
    playground.run("git", "clone", "--quiet", str(playground.root), str(tmp_path / "second"))
    second = Project(tmp_path / "second")

    # as docs/experiments.md has it
    assert "tiny_number" in second.fails("dvc", "pull")
    second.run("dvc", "pull", "--allow-missing")

    assert "Running stage" not in second.run("dvc", "repro", "--dry", "plot@tiny_class", "compare@mnist").stdout
    monkeypatch.chdir(second.root)
    same, missing = call("compare", "main").stdout.splitlines()
    assert same == "the same predictions: tiny_class"
    assert missing.startswith("main: the predictions of tiny_number are not here: make them by `dvc repro evaluate@")


def test_revisions_are_compared_within_a_repository(in_bare_project: Project) -> None:
    assert call_fails("compare", "main").startswith("error: ")


@pytest.mark.slow
def test_an_experiment_is_compared_with_the_commit_it_comes_from(in_playground: Project) -> None:
    in_playground.run(
        "dvc", "exp", "run", "--name", "longer", "-S", "recipes.tiny_number.epochs=30", "evaluate@tiny_number"
    )
    in_playground.run("git", "checkout", ".")
    in_playground.run("dvc", "checkout", "--allow-missing")

    lines = in_playground.run("image-recipes", "compare", "main", "longer").stdout.splitlines()

    assert lines[0].split() == ["recipe", "metric", "main", "longer", "p", "(Holm)", "verdict"]
    recipe, metric, before, after, p, *verdict = lines[1].split()
    assert (recipe, metric) == ("tiny_number", "mse")
    assert float(after.replace(",", "")) < float(before.replace(",", ""))
    assert float(p) < 0.05
    assert " ".join(verdict) == "longer:tiny_number is better than main:tiny_number"
    assert lines[2:] == ["the same predictions: tiny_class"]
    # the workspace is again what was committed
    output = call("compare", "main").stdout
    assert sorted(output.strip().removeprefix("the same predictions: ").split(", ")) == ["tiny_class", "tiny_number"]

    # other pictures under the same numbers
    in_playground.edit("params.yaml", "    seed: 0\n    size: 8", "    seed: 5\n    size: 8")
    in_playground.repro("evaluate@tiny_number")
    output = call("compare", "main").stdout
    assert "main:tiny_number and workspace:tiny_number cannot be compared: they were tested on different" in output

    # a revision whose results are gone from the cache
    shutil.rmtree(".dvc/cache")
    output = call_fails("compare", "longer:tiny_number")
    assert "error: longer: the predictions of tiny_number are not here: make them by `dvc repro evaluate" in output
    assert "(an experiment: `dvc exp apply longer`)" in output
