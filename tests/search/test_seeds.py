"""A recipe's figures over seeds."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.results.seeds import summarize_seeds
from projects import Project


def test_figures_over_seeds_are_those_of_the_pipeline_and_go_on(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")

    project.run("image-recipes", "seeds", "tiny_class", "--seeds", "2")
    said = project.run("image-recipes", "seeds", "tiny_class", "--seeds", "3", "--jobs", "2")

    table = pd.read_csv(project.root / "metrics/seeds/tiny_class.csv")
    metrics = json.loads((project.root / "metrics/mnist/tiny_class.json").read_text("utf-8"))
    assert list(table["seed"]) == [0, 1, 2]
    assert "measured before, for the same params and pictures: 2" in said.stderr
    for metric in ("test_accuracy", "val_accuracy", "train_accuracy", "val_loss"):
        assert np.isclose(table[metric][0], metrics[metric], rtol=1e-5), metric
    assert table["val_loss"].nunique() == 3
    assert set(table["parameters"]) == {metrics["parameters"]}
    assert (project.root / "plots/seeds/mnist.png").exists()

    # other params: none of them counts
    project.edit("params.yaml", "rate: 0.1\n", "rate: 0.2\n")
    said = project.run("image-recipes", "seeds", "tiny_class", "--seeds", "1")
    assert "3 seeds measured before were for other params or pictures" in said.stderr
    assert len(pd.read_csv(project.root / "metrics/seeds/tiny_class.csv")) == 1


def test_the_best_possible_predictor_is_set_beside(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "copy")

    said = project.run("image-recipes", "seeds", "tiny_number", "--seeds", "1").stdout

    assert "the best possible predictor has mse" in said
    assert "so few seeds say little" in said


def test_the_interval_is_student_s() -> None:
    table = pd.DataFrame({"seed": [0, 1, 2], "parameters": 9, "epochs": 1, "seconds": 1.0, "test_mse": [1.0, 2.0, 3.0]})
    table = table.assign(inputs="x", commit="y")

    [row] = summarize_seeds(table).to_dict("records")

    assert row["mean"] == 2
    assert row["std"] == 1
    # 4.3027 is the 97.5 % quantile with 2 degrees of freedom
    assert np.isclose(row["high"] - 2, 4.302653 / 3**0.5)
