"""The table of a search in memory, in its file and on an axis: the same values."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from image_recipes.core.files import save_table
from image_recipes.core.params import validate
from image_recipes.results.searches import table_file
from image_recipes.search.sampling import as_distributions, list_grid, silence
from image_recipes.search.settings import SearchSettings
from image_recipes.search.table import as_row, list_tried, load_trials, values_of

PATH = "recipes.net.rate"


def settings_of(values: Any) -> SearchSettings:
    given = {"recipe": "net", "metric": "val_loss", "sampler": "grid", "pruner": "none", "trials": 9, "seeds": 1}
    return validate(SearchSettings, {**given, "space": {PATH: values}}, "searches.tune")


@pytest.mark.parametrize(
    "values",
    [
        [0.001, 1],
        [1.0, 0.1],
        [0.00012345678, 0.1],
        [True, False],
        [None, "same", "1"],
        [["Flatten"], [{"Dense": {"units": 3}}]],
        {"low": 0.1, "high": 0.3, "step": 0.1},
    ],
)
def test_choices_are_the_same_in_a_file(values: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = settings_of(values)
    expected = values if isinstance(values, list) else [0.1, 0.2, 0.3]
    notes = {"inputs": "x", "commit": "abc", "reason": ""}
    figures = {"val_loss": 1.0, "val_loss_std": None, "parameters": 9, "epochs": 1, "seconds": 1.0}
    rows = [
        as_row(number, "finished", {PATH: value}, settings, figures, notes)
        for number, value in enumerate(expected, start=1)
    ]
    table = pd.DataFrame(rows)
    save_table(table, table_file("tune"))
    loaded = load_trials("tune", settings)

    assert loaded is not None
    for rows_of in (table, loaded):
        found = [values_of(row, settings)[PATH] for _, row in rows_of.iterrows()]
        assert [(value, type(value)) for value in found] == [(value, type(value)) for value in expected]
        [tried] = list_tried(rows_of, settings)
        assert list(tried.places) == ([0, 1, 2][: len(expected)] if tried.choices else pytest.approx(expected))


@pytest.mark.filterwarnings("error")
def test_a_step_that_does_not_reach_the_end_is_no_matter_to_optuna() -> None:
    silence()
    for values in ({"low": 2, "high": 9, "step": 3}, {"low": 0.1, "high": 0.35, "step": 0.1}):
        settings = settings_of(values)
        points = list(list_grid(settings))

        space = as_distributions(settings)[PATH]
        assert all(space._contains(space.to_internal_repr(point[PATH])) for point in points)
        assert len(points) == 3
