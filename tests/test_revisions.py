"""`image-recipes compare`: is one really better, between commits, experiments and recipes?"""

import shutil

import pytest
from conftest import Project


@pytest.mark.slow
def test_an_experiment_is_compared_with_the_commit_it_comes_from(playground: Project) -> None:
    playground.run(
        "dvc", "exp", "run", "--name", "longer", "-S", "recipes.tiny_number.epochs=30", "evaluate@tiny_number"
    )
    playground.run("git", "checkout", ".")
    playground.run("dvc", "checkout", "--allow-missing")

    lines = playground.run("image-recipes", "compare", "main", "longer").stdout.splitlines()

    assert lines[0].split() == ["recipe", "metric", "main", "longer", "p", "(Holm)", "verdict"]
    recipe, metric, before, after, p, *verdict = lines[1].split()
    assert (recipe, metric) == ("tiny_number", "mse")
    assert float(after.replace(",", "")) < float(before.replace(",", ""))
    assert float(p) < 0.05
    assert " ".join(verdict) == "longer:tiny_number is better than main:tiny_number"
    assert lines[2:] == ["the same predictions: tiny_class"]
    # the workspace is again what was committed
    output = playground.run("image-recipes", "compare", "main").stdout
    assert sorted(output.strip().removeprefix("the same predictions: ").split(", ")) == ["tiny_class", "tiny_number"]

    # other pictures under the same numbers
    playground.edit("params.yaml", "    seed: 0\n    size: 8", "    seed: 5\n    size: 8")
    playground.repro("evaluate@tiny_number")
    output = playground.run("image-recipes", "compare", "main").stdout
    assert "main:tiny_number and workspace:tiny_number cannot be compared: they were tested on different" in output

    # a revision whose results are gone from the cache
    shutil.rmtree(playground.root / ".dvc/cache")
    output = playground.fails("image-recipes", "compare", "longer:tiny_number")
    assert "error: longer: the predictions of tiny_number are not here: make them by `dvc repro evaluate" in output
    assert "(an experiment: `dvc exp apply longer`)" in output


@pytest.mark.slow
def test_what_cannot_be_compared_is_named(finished: Project) -> None:
    output = finished.fails("image-recipes", "compare", "main:tiny_class", ":tiny_number")
    assert "cannot be compared: they are of mnist and dots" in output

    output = finished.fails("image-recipes", "compare", "nowhere")
    assert "error: nowhere: no such commit, branch, tag or experiment" in output

    output = finished.fails("image-recipes", "compare", "main:tiny_clas")
    assert "error: main: no predictions of 'tiny_clas': did you mean 'tiny_class'?" in output

    # the commit before the first results
    output = finished.fails("image-recipes", "compare", "HEAD~1")
    assert "`dvc repro evaluate@tiny_class` after `git checkout HEAD~1`" in output
