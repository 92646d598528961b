"""Metrics on disk: rounded, without what is no number, and read again."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.results.metrics import load_baseline_metrics, load_metrics, prefix_metrics, save_metrics

# of every recipe
NEEDED = {"test_accuracy": 0.5, "test_accuracy_low": 0.4, "test_accuracy_high": 0.6, "val_accuracy": 0.5}


def test_metrics_have_their_split_before_their_names() -> None:
    assert prefix_metrics("val", {"accuracy": 0.98, "loss": None}) == {"val_accuracy": 0.98, "val_loss": None}


def test_metrics_are_saved_with_seven_digits_and_by_name(tmp_path: Path) -> None:
    save_metrics({**NEEDED, "b": 1 / 3, "a": 123456789.0, "parameters": 123456789}, tmp_path / "m/net.json")

    text = (tmp_path / "m/net.json").read_text("utf-8")
    assert list(json.loads(text)) == sorted(["a", "b", "parameters", *NEEDED])
    loaded = load_metrics(tmp_path / "m", ["net"], CLASSIFICATION)["net"]
    assert loaded == {**NEEDED, "b": 0.3333333, "a": 123456800.0, "parameters": 123456789}
    assert text.endswith("}\n")


@pytest.mark.parametrize("value", [None, math.nan, -math.inf, np.float32("inf")])
def test_what_is_no_number_is_null(value: float | None, tmp_path: Path) -> None:
    save_metrics({"r2": value}, tmp_path / "net.json")

    assert json.loads((tmp_path / "net.json").read_text("utf-8")) == {"r2": None}


def test_metrics_of_other_recipes_are_passed_over(tmp_path: Path) -> None:
    for name in ["b", "a", "gone"]:
        save_metrics(NEEDED, tmp_path / f"{name}.json")

    assert list(load_metrics(tmp_path, ["b", "a"], CLASSIFICATION)) == ["b", "a"]
    assert list(load_baseline_metrics(tmp_path, CLASSIFICATION)) == ["a", "b", "gone"]


@pytest.mark.parametrize(
    "content",
    [
        "<<<<<<< HEAD\n",
        "[]",
        "{}",
        json.dumps({**NEEDED, "val_accuracy": "high"}),
        json.dumps({**NEEDED, "val_accuracy": True}),
        json.dumps({**NEEDED, "test_accuracy_low": math.inf}),
        json.dumps({**NEEDED, "test_auc_low": 0.1}),
        json.dumps({**NEEDED, "fitted_pictures": 1}),
        json.dumps(NEEDED).replace("0.5", "9" * 5_000),
        "[" * 100_000,
    ],
)
def test_damaged_metrics_are_named_with_their_stage(content: str, tmp_path: Path) -> None:
    (tmp_path / "mlp.json").write_text(content, "utf-8")

    with pytest.raises(UserError, match=r"mlp\.json: missing or damaged: make it by `dvc repro evaluate@mlp`"):
        load_metrics(tmp_path, ["mlp"], CLASSIFICATION)
    (tmp_path / "mlp.json").write_text(content.replace("val_accuracy", "test_accuracy"), "utf-8")
    with pytest.raises(UserError, match=r"mlp\.json: missing or damaged: make it by `dvc repro baseline@"):
        load_baseline_metrics(tmp_path, CLASSIFICATION)
    with pytest.raises(UserError, match="none: missing: make it by `dvc repro baseline@none`"):
        load_baseline_metrics(tmp_path / "none", CLASSIFICATION)
