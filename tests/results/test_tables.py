"""Tables of recipes: written, rounded for reading, and read again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.errors import UserError
from image_recipes.core.files import save_table
from image_recipes.results.tables import format_value, load_table, save_markdown


def table() -> pd.DataFrame:
    ends = {"test_accuracy_low": [0.95, None], "test_accuracy_high": [0.97, None]}
    return pd.DataFrame(
        {
            "recipe": ["net", "baseline: linear"],
            "parameters": pd.array([1234, None], "Int64"),
            "test_accuracy": [0.96, 0.92],
            **ends,
            "error_to_linear": [0.5, 1.0],
        }
    )


def test_a_table_is_rounded_for_reading_with_intervals_behind_their_figures(tmp_path: Path) -> None:
    save_markdown(table(), tmp_path / "t.md")

    lines = (tmp_path / "t.md").read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["recipe", "parameters", "test accuracy (95 % interval)", "error to linear"]
    assert cells[2] == ["net", "1,234", "0.9600 (0.9500 to 0.9700)", "0.50"]
    assert cells[3] == ["baseline: linear", "-", "0.9200", "1.00"]


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    save_table(table(), tmp_path / "t.csv")

    pd.testing.assert_frame_equal(load_table(tmp_path / "t.csv", "things"), table())


def test_names_that_look_like_numbers_or_nothing_stay_texts(tmp_path: Path) -> None:
    breakdown = pd.DataFrame({"recipe": ["net"] * 2, "class": ["007", "NA"], "precision": [0.5, None]})
    save_table(breakdown, tmp_path / "t.csv")

    loaded = load_table(tmp_path / "t.csv", "things")

    assert loaded["class"].tolist() == ["007", "NA"]
    assert loaded["precision"].isna().tolist() == [False, True]


def test_a_missing_table_is_named_with_its_stage(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="dvc repro compare@things"):
        load_table(tmp_path / "none.csv", "things")


def test_values_are_rounded_for_reading() -> None:
    assert [format_value("p", value) for value in [0.0312, 1.0, 4.1e-9, 0.0]] == ["0.031", "1", "4.1e-09", "<1e-300"]
    # whatever the unit
    assert [format_value("test_mse", value) for value in [5422.71, 110.06, 0.0123456, 0.0]] == [
        "5,423",
        "110.1",
        "0.01235",
        "0",
    ]
    assert format_value("test_accuracy", 0.97) == "0.9700"
    assert format_value("pictures", np.int64(10_000)) == "10,000"
    assert format_value("parameters", pd.NA) == "-"
