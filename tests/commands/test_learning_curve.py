"""`image-recipes learning-curve`: trained on a quarter, a half and all, and judged by the validation pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calling import call, call_fails
from image_recipes.commands import learning_curve
from image_recipes.core.dataset import save_prepared, save_split
from image_recipes.core.files import save_table
from image_recipes.core.params import read_params
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.learning_curve import curve_columns, curve_file, hash_inputs, load_curve
from projects import Project
from recipes import class_info

SPLITS = {"train": np.arange(200), "validation": np.arange(200, 260)}
DATA = Path("data/prepared/mnist")


@pytest.fixture
def prepared(in_bare_project: Project) -> Project:
    """A project whose digits are prepared and split: bright pictures and dark ones. There is no test split."""
    images = np.random.default_rng(0).integers(0, 128, (260, 28, 28, 1), dtype=np.uint8)
    classes = np.arange(260) % 2
    images[classes == 1] += 60
    save_prepared(images, classes, class_info([28, 28, 1]), DATA)
    save_split(SPLITS, Path("data/split/mnist"))
    return in_bare_project


def save_curve(repeats: int) -> None:
    """Write a curve as if it had been measured."""
    inputs = hash_inputs(read_params(), "tiny_class", hash_as_dvc(DATA), SPLITS)
    rows = [
        (repeat, pictures, 2, value, gain, 0.01, inputs)
        for repeat in range(1, repeats + 1)
        for pictures, value, gain in [(50, 0.7, np.nan), (100, 0.8, 0.1), (200, 0.9, 0.1)]
    ]
    save_table(pd.DataFrame(rows, columns=curve_columns("accuracy")), curve_file("tiny_class"))


def test_what_was_measured_is_not_measured_again(prepared: Project) -> None:
    save_curve(repeats=2)
    before = curve_file("tiny_class").read_bytes()

    result = call("learning-curve", "tiny_class", "--repeats", "2")

    assert "tiny_class: repeats measured before, for the same params and pictures: 2" in result.stderr
    assert "judged by the 60 validation pictures, since the test pictures are for the end" in result.stderr
    assert "without early_stopping, half of the pictures also means half of the steps" in result.stderr
    assert "More pictures help: from 100 to 200 training pictures" in result.stdout
    assert curve_file("tiny_class").read_bytes() == before


@pytest.mark.parametrize("changed", ["params", "pictures", "split"])
def test_other_params_or_pictures_make_another_curve(
    changed: str, prepared: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_curve(repeats=2)
    if changed == "params":
        prepared.edit("params.yaml", "epochs: 2", "epochs: 1")
    elif changed == "pictures":
        images = np.load(DATA / "images.npy")
        save_prepared(255 - images, np.load(DATA / "targets.npy"), class_info([28, 28, 1]), DATA)
    else:
        save_split({**SPLITS, "validation": np.arange(210, 260)}, Path("data/split/mnist"))
    asked = []

    def train(recipe: object, task: object, seed: int) -> pd.DataFrame:
        asked.append(seed)
        errors = {"epochs": 1, "accuracy": [0.5, 0.6, 0.7], "gain": [np.nan, 0.1, 0.1], "gain_error": [np.nan, 1, 1]}
        return pd.DataFrame({"pictures": [50, 100, 200], **errors})

    # a training takes seconds
    monkeypatch.setattr(learning_curve, "_measure_repeat", train)
    call("learning-curve", "tiny_class", "--repeats", "1")

    assert asked == [0]
    table = load_curve("tiny_class", "accuracy")
    assert table is not None
    assert table["accuracy"].tolist() == [0.5, 0.6, 0.7]


def test_a_run_that_is_stopped_keeps_the_repeats_it_has(prepared: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    save_curve(repeats=1)

    def stop(recipe: object, task: object, seed: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(learning_curve, "_measure_repeat", stop)
    before = curve_file("tiny_class").read_bytes()

    assert "stopped by the keyboard" in call_fails("learning-curve", "tiny_class", exit_code=130)
    assert curve_file("tiny_class").read_bytes() == before


@pytest.mark.slow
def test_a_curve_is_measured_and_drawn(prepared: Project) -> None:
    result = call("learning-curve", "tiny_class", "--repeats", "1")

    header, *rows = result.stdout.splitlines()[:4]
    assert header.split() == ["pictures", "epochs", "accuracy", "seconds"]
    assert [row.split()[:2] for row in rows] == [["50", "2"], ["100", "2"], ["200", "2"]]
    table = load_curve("tiny_class", CLASSIFICATION.metric)
    assert table is not None
    assert table["pictures"].tolist() == [50, 100, 200]
    np.testing.assert_allclose(table["gain"][1:], np.diff(table["accuracy"]), atol=1e-6)
    assert Path("plots/learning_curve/tiny_class.png").read_bytes().startswith(b"\x89PNG")
    assert "There was one training for each number of pictures" in result.stdout

    # the same again, and one more
    first = curve_file("tiny_class").read_text("utf-8")
    call("learning-curve", "tiny_class", "--repeats", "2")
    assert curve_file("tiny_class").read_text("utf-8").startswith(first)


@pytest.mark.slow
def test_too_few_pictures_are_a_line_and_nothing_is_written(prepared: Project) -> None:
    save_split({**SPLITS, "train": np.arange(100)}, Path("data/split/mnist"))

    output = call_fails("learning-curve", "tiny_class")

    assert "recipes.tiny_class: a quarter of its 100 training pictures" in output
    assert not curve_file("tiny_class").exists()


def test_what_is_missing_is_named_with_its_remedy(in_bare_project: Project) -> None:
    assert "no recipe 'tiny_clas': did you mean 'tiny_class'?" in call_fails("learning-curve", "tiny_clas")
    assert "make it by `dvc repro prepare@mnist`" in call_fails("learning-curve", "tiny_class")
    assert "Invalid value for '--repeats'" in call_fails("learning-curve", "tiny_class", "--repeats", "0", exit_code=2)


def test_a_damaged_curve_is_named(prepared: Project) -> None:
    save_curve(repeats=1)
    file = curve_file("tiny_class")
    file.write_text("<<<<<<< HEAD\n" + file.read_text("utf-8"), "utf-8")

    output = call_fails("learning-curve", "tiny_class")

    assert "metrics/learning_curve/tiny_class.csv: missing or damaged: delete it, and make it again" in output
