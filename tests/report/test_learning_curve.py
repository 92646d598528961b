"""The report's end: a learning curve that somebody has asked for, as long as it is of these params and pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.dataset import Prepared, save_prepared
from image_recipes.core.errors import UserError
from image_recipes.core.files import save_table
from image_recipes.core.params import read_params
from image_recipes.report.learning_curve import CurveView, view_curves
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.learning_curve import curve_columns, curve_file, hash_inputs
from image_recipes.results.predictions import save_predictions, tabulate_predictions
from projects import Project
from recipes import class_info

SPLITS = {"train": np.arange(40), "validation": np.arange(40, 60), "test": np.arange(60, 80)}
INFO = class_info([4, 4, 1])
FOLDER = Path("data/prepared/mnist")


@pytest.fixture
def project(in_bare_project: Project) -> Project:
    """A project with predictions and a learning curve of `tiny_class`."""
    images, targets = np.zeros((80, 4, 4, 1), np.uint8), np.arange(80) % 2
    save_prepared(images, targets, INFO, FOLDER)
    prepared, outputs = Prepared(images, targets, INFO), np.full((80, 2), 0.5, np.float32)
    tables = {
        name: tabulate_predictions(prepared.subset(places), outputs[places], INFO) for name, places in SPLITS.items()
    }
    save_predictions(tables, Path("data/predictions/mnist/tiny_class.csv"))
    inputs = hash_inputs(read_params(), "tiny_class", hash_as_dvc(FOLDER), SPLITS)
    rows = [
        (1, pictures, 2, value, gain, 0.01, inputs)
        for pictures, value, gain in [(10, 0.7, np.nan), (20, 0.8, 0.1), (40, 0.9, 0.1)]
    ]
    save_table(pd.DataFrame(rows, columns=curve_columns("accuracy")), curve_file("tiny_class"))
    return in_bare_project


def view() -> list[CurveView]:
    return view_curves("mnist", INFO, ["other", "tiny_class"], read_params(), hash_as_dvc(FOLDER))


def test_a_curve_is_shown_with_what_it_says(project: Project) -> None:
    (shown,) = view()

    assert shown.recipe == "tiny_class"
    assert str(shown.told[0]).startswith("More pictures help: from 20 to 40 training pictures")
    assert shown.chart is not None
    assert "10,0.7\n20,0.8\n40,0.9\n" in str(shown.chart.spec).replace("\\n", "\n")


def test_one_of_other_params_is_said_to_be(project: Project) -> None:
    project.edit("params.yaml", "epochs: 2", "epochs: 1")

    (shown,) = view()

    assert shown.chart is None
    assert str(shown.told[0]) == (
        "The learning curve of tiny_class was made for other params or pictures. To measure it again:"
    )


def test_without_any_there_is_none(project: Project) -> None:
    curve_file("tiny_class").unlink()

    assert view() == []


def test_a_damaged_one_names_its_remedy(project: Project) -> None:
    curve_file("tiny_class").write_text("repeat,pictures\n1,2\n", "utf-8")

    with pytest.raises(UserError, match="damaged: delete it, and make it again by `image-recipes learning-curve"):
        view()
