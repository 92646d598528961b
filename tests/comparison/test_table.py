"""The table of a dataset's recipes, with what they have to beat and what was published."""

import re
from pathlib import Path

import pandas as pd
import pytest

from image_recipes.comparison.table import join_by_recipe, load_published, make_table
from image_recipes.core.errors import UserError
from image_recipes.core.files import save_table
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.results.metrics import Metrics
from image_recipes.results.tables import load_table, save_markdown
from projects import ROOT

METRICS: dict[str, dict[str, float | None]] = {
    "mlp": {
        "parameters": 1234,
        "test_mse": 110.06,
        "test_mse_low": 95.0,
        "test_mse_high": 120.0,
        "test_mae": 7.123,
        "test_r2": 0.98,
        "val_mse": 99.0,
        "train_mse": 0.5,
    },
    "pool": {"parameters": 56, "test_mse": 48.6, "test_mae": None, "test_r2": 0.99, "val_mse": 50.0, "train_mse": 47.0},
}


def test_the_table_sets_published_figures_beside_ours(tmp_path: Path) -> None:
    published = {"mlp": {"test_mse": 110.1}, "other": {"test_mae": 3.0}}
    table = make_table(REGRESSION, METRICS, {"linear": {"test_mse": 220.12}}, published)
    save_markdown(table, tmp_path / "t.md")

    assert table.columns.tolist() == [
        "recipe",
        "parameters",
        "test_mse",
        "test_mse_low",
        "test_mse_high",
        "published_test_mse",
        "error_to_linear",
        "test_mae",
        "test_r2",
        "val_mse",
        "train_mse",
    ]
    lines = (tmp_path / "t.md").read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][:4] == ["recipe", "parameters", "test mse (95 % interval)", "published test mse"]
    assert cells[2] == ["mlp", "1,234", "110.1 (95.00 to 120.0)", "110.1", "0.50", "7.123", "0.9800", "99.00", "0.5000"]
    assert cells[3] == ["pool", "56", "48.60", "-", "0.22", "-", "0.9900", "50.00", "47.00"]


def test_the_table_shows_what_cross_validation_found(tmp_path: Path) -> None:
    folds = {"folds": 5, "folds_mse": 52.04, "folds_mse_std": 3.21}
    metrics = {"mlp": METRICS["mlp"], "pool": METRICS["pool"] | folds}
    table = make_table(REGRESSION, metrics, {"linear": {"test_mse": 220.12}}, {})
    save_table(table, tmp_path / "t.csv")
    save_markdown(load_table(tmp_path / "t.csv", "things"), tmp_path / "t.md")

    header, _, first, second, _ = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (tmp_path / "t.md").read_text("utf-8").splitlines()
    ]
    assert header[3:5] == ["folds", "folds mse (mean ± standard deviation)"]
    assert (first[3:5], second[3:5]) == (["-", "-"], ["5", "52.04 ± 3.210"])


def test_the_table_says_what_a_network_adds() -> None:
    def metrics(accuracy: float) -> dict[str, float | None]:
        return {"test_accuracy": accuracy, "test_loss": 0.5}

    recipe = metrics(0.96) | {"parameters": 1234, "val_accuracy": 0.9, "val_loss": 1.0, "train_accuracy": 1.0}

    table = make_table(CLASSIFICATION, {"net": recipe}, {"linear": metrics(0.92), "majority": metrics(0.12)}, {})

    assert table["recipe"].tolist() == ["net", "baseline: majority", "baseline: linear"]
    assert table["error_to_linear"].tolist() == pytest.approx([0.5, 11.0, 1.0])


def test_the_table_says_what_a_baseline_has_not_learned_from(tmp_path: Path) -> None:
    fitted = {"fitted_pictures": 50_000, "all_pictures": 54_000, "fitted_features": 256, "all_features": 784}
    baselines: dict[str, Metrics] = {"linear": {"test_mse": 220.12, **fitted}, "mean": {"test_mse": 300}}

    table = make_table(REGRESSION, METRICS, baselines, {})
    save_markdown(table, tmp_path / "t.md")

    cells = [line.strip("| ").split("|")[-1].strip() for line in (tmp_path / "t.md").read_text("utf-8").splitlines()]
    assert cells[0] == "fitted to"
    assert cells[2:] == ["-", "-", "-", "50,000 of 54,000 pictures, 256 of 784 features"]


def test_a_network_that_has_diverged_stands_in_the_table_without_figures() -> None:
    diverged = {name: None for name in METRICS["mlp"]} | {"parameters": 7}

    table = make_table(REGRESSION, {"net": diverged, **METRICS}, {"linear": {"test_mse": 220.12}}, {})

    assert table["recipe"].tolist() == ["net", "mlp", "pool", "baseline: linear"]
    assert table.loc[0, ["test_mse", "error_to_linear", "train_mse"]].isna().all()


def test_published_figures_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    (tmp_path / "published.yaml").write_text("mlp: 0.97\n", "utf-8")

    with pytest.raises(UserError, match=r"published\.yaml: mlp: give a mapping of metrics to numbers"):
        load_published(tmp_path / "published.yaml")
    (tmp_path / "published.yaml").write_text("mlp:\n  test_acuracy: 0.97\n", "utf-8")
    with pytest.raises(UserError, match=r"mlp: no metric 'test_acuracy': did you mean 'test_accuracy'\?"):
        load_published(tmp_path / "published.yaml")
    (tmp_path / "published.yaml").write_text("mlp: [\n", "utf-8")
    with pytest.raises(UserError, match=r"published\.yaml, line \d: not valid YAML"):
        load_published(tmp_path / "published.yaml")


def test_joined_histories_name_their_recipe() -> None:
    history = pd.DataFrame({"epoch": [1, 2], "loss": [0.4, 0.2]})

    joined = join_by_recipe({"b": history, "a": history.head(1)})

    assert joined["recipe"].tolist() == ["b", "b", "a"]
    assert joined["epoch"].tolist() == [1, 2, 1]


def read_tables(file: Path) -> list[tuple[list[str], list[list[str]]]]:
    """Return the heading and the rows of each Markdown table of a page."""
    blocks = re.findall(r"(?:^\|.*\n)+", file.read_text("utf-8"), flags=re.MULTILINE)
    tables = [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()] for block in blocks
    ]
    return [(table[0], table[2:]) for table in tables]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md", "docs/lectures.md", "docs/lectures.ko.md"])
def test_pages_show_what_the_pipeline_has_found(name: str) -> None:
    found = [row for file in ROOT.glob("metrics/compare/*.md") for _, rows in read_tables(file) for row in rows]
    shown = [rows for heading, rows in read_tables(ROOT / name) if heading[1] in ("parameters", "파라미터")]

    assert len(shown) == 2
    for row in [row for rows in shown for row in rows]:
        # a page may leave columns out, and writes an interval in Korean
        cells = [re.sub(r"(?<=\d)~(?=\d)", " to ", cell) for cell in row]
        wholes = [iter(whole) for whole in found]
        assert any(all(cell in whole for cell in cells) for whole in wholes), row
