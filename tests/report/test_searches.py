"""The report's sections of searches and of seeds, as long as they are of these params and pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from image_recipes.commands.search_apply import write_values
from image_recipes.core.dataset import Prepared, save_prepared
from image_recipes.core.errors import UserError
from image_recipes.core.files import save_table
from image_recipes.core.params import read_params
from image_recipes.report.searches import SearchView, view_searches
from image_recipes.report.seeds import SeedsView, view_seeds
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.learning_curve import hash_inputs
from image_recipes.results.predictions import save_predictions, tabulate_predictions
from image_recipes.results.searches import table_file
from image_recipes.results.seeds import seeds_file
from image_recipes.search.definition import define, digest_data
from image_recipes.search.settings import load_search
from image_recipes.search.table import as_row
from projects import Project
from recipes import class_info

SPLITS = {"train": np.arange(40), "validation": np.arange(40, 60), "test": np.arange(60, 80)}
INFO = class_info([4, 4, 1])
FOLDER = Path("data/prepared/mnist")
SEARCH = """
searches:
  tune:
    recipe: tiny_class
    metric: val_accuracy
    sampler: random
    pruner: none
    trials: 3
    seeds: 1
    space:
      recipes.tiny_class.batch_size: {low: 8, high: 64}
      architectures.small[0].Conv2D.activation: [relu, tanh]
"""
TRIALS: list[tuple[str, int, float | None]] = [("finished", 8, 0.7), ("stopped early", 9, None), ("finished", 10, 0.9)]


@pytest.fixture
def project(in_bare_project: Project) -> Project:
    """A project with predictions, a search and figures over seeds of `tiny_class`."""
    with Path("params.yaml").open("a", encoding="utf-8") as file:
        file.write(SEARCH)
    images, targets = np.zeros((80, 4, 4, 1), np.uint8), np.arange(80) % 2
    save_prepared(images, targets, INFO, FOLDER)
    prepared, outputs = Prepared(images, targets, INFO), np.full((80, 2), 0.5, np.float32)
    tables = {
        name: tabulate_predictions(prepared.subset(places), outputs[places], INFO) for name, places in SPLITS.items()
    }
    save_predictions(tables, Path("data/predictions/mnist/tiny_class.csv"))
    params, data_hash = read_params(), hash_as_dvc(FOLDER)
    data = digest_data(data_hash, SPLITS["train"], SPLITS["validation"])
    definition = define(load_search("tune", params), INFO.task, data)
    rows = []
    for number, (state, size, value) in enumerate(TRIALS, start=1):
        values: dict[str, Any] = dict(zip(definition.search.settings.space, (size, "tanh"), strict=True))
        figures = {"val_accuracy": value, "val_accuracy_std": None, "parameters": 9, "epochs": 2, "seconds": 1.0}
        notes = {"inputs": definition.key_of(values), "commit": "abc", "reason": ""}
        rows.append(as_row(number, state, values, definition.search.settings, figures, notes))
    save_table(pd.DataFrame(rows), table_file("tune"))
    inputs = hash_inputs(params, "tiny_class", data_hash, SPLITS)
    costs = {"parameters": 1234, "epochs": 2, "seconds": [1.0, 3.0]}
    seeds = pd.DataFrame({"seed": [0, 1], **costs, "test_accuracy": [0.8, 0.9]})
    save_table(seeds.assign(inputs=inputs, commit="abc"), seeds_file("tiny_class"))
    return in_bare_project


def view() -> tuple[list[SearchView], list[SeedsView]]:
    given = ("mnist", INFO, ["other", "tiny_class"], read_params(), hash_as_dvc(FOLDER))
    return view_searches(*given), view_seeds(*given)


def test_a_search_is_shown_with_its_best_trial(project: Project) -> None:
    (search,), _ = view()

    assert str(search.told[0]).startswith("Of 3 trials of tiny_class with other values, 2 came to their end, 1 were")
    assert "trial 3, has val_accuracy 0.9, with batch_size 10, activation tanh" in str(search.told[1])
    assert [chart.values.get("value") for chart in search.charts] == [None, "batch_size", "activation"]
    # of the trial that was stopped early there is no point
    assert "1,0.7\n3,0.9\n" in str(search.charts[0].spec).replace("\\n", "\n")


def test_seeds_are_shown_with_mean_and_spread(project: Project) -> None:
    _, (seeds,) = view()

    assert seeds.row is not None
    assert (seeds.row["seeds"], seeds.row["mean"], seeds.row["seconds"]) == ("2", "0.8500", "2.0")
    assert seeds.row["parameters"] == "1,234"


def test_those_of_other_params_are_said_to_be(project: Project) -> None:
    project.edit("params.yaml", "epochs: 2", "epochs: 1")

    (search,), (seeds,) = view()

    assert not search.charts
    assert "was made for other params or pictures" in str(search.told[0])
    assert seeds.row is None
    assert "measured for other params or pictures" in str(seeds.told)


def test_a_search_whose_winner_was_applied_is_still_shown(project: Project) -> None:
    file = Path("params.yaml")
    values = {"recipes.tiny_class.batch_size": 10, "architectures.small[0].Conv2D.activation": "tanh"}
    file.write_text(write_values(file.read_text("utf-8"), values), "utf-8")

    (search,), (seeds,) = view()

    assert search.charts
    assert seeds.row is None


def test_damaged_tables_are_refused(project: Project) -> None:
    for file, verb in ((table_file("tune"), "search tune"), (seeds_file("tiny_class"), "seeds tiny_class")):
        content = file.read_bytes()
        file.write_bytes(content[:-9])
        with pytest.raises(UserError, match=f"delete it, and make it again by `image-recipes {verb}`"):
            view()
        file.write_bytes(content)
