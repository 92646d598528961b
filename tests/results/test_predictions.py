"""Predictions on disk: those of every split in one file, which earlier versions wrote of the test alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.dataset import Subset
from image_recipes.core.errors import UserError
from image_recipes.results.predictions import (
    insert_judgement,
    load_baselines,
    load_predictions,
    parse_predictions,
    probabilities,
    save_predictions,
    tabulate_predictions,
)
from predictions import of_classes, of_numbers
from recipes import class_info, number_info

NAMES = ["007", "NA"]
CLASSES = class_info((8, 8, 1), NAMES)
GRAMS = number_info((8, 8, 1))


def test_predictions_name_their_pictures() -> None:
    pictures = Subset(np.zeros((50, 1, 1, 1), np.uint8), np.array([1, 0]), np.array([30, 12]))

    table = tabulate_predictions(pictures, np.array([[0.25, 0.75], [0.5, 0.5]]), CLASSES)

    assert table.to_dict("records") == [
        {"index": 30, "real": "NA", "predicted": "NA", "probability_007": 0.25, "probability_NA": 0.75},
        {"index": 12, "real": "007", "predicted": "007", "probability_007": 0.5, "probability_NA": 0.5},
    ]
    assert probabilities(table).tolist() == [[0.25, 0.75], [0.5, 0.5]]


def test_every_split_survives_the_disk(tmp_path: Path) -> None:
    saved = {
        "train": of_classes([0, 1, 1], [[0.75, 0.25], [0.1, 0.9], [1, 0]], NAMES),
        "test": of_classes([1], [[0.3, 0.7]], NAMES),
    }
    save_predictions(saved, tmp_path / "p.csv")

    for split, table in saved.items():
        pd.testing.assert_frame_equal(load_predictions(tmp_path / "p.csv", CLASSES, split), table, check_dtype=False)
    pd.testing.assert_frame_equal(load_predictions(tmp_path / "p.csv", CLASSES), saved["test"], check_dtype=False)
    with pytest.raises(UserError, match=r"p\.csv: missing or damaged: make it by `dvc repro evaluate@p`"):
        load_predictions(tmp_path / "p.csv", CLASSES, "validation")


def test_a_file_of_earlier_versions_holds_test_pictures() -> None:
    content = b"index,real,predicted,probability_007,probability_NA\n3,NA,NA,0.25,0.75\n"

    loaded = parse_predictions(content, CLASSES)

    assert loaded.to_dict("records") == [
        {"index": 3, "real": "NA", "predicted": "NA", "probability_007": 0.25, "probability_NA": 0.75}
    ]
    with pytest.raises(ValueError, match="no predictions of train pictures"):
        parse_predictions(content, CLASSES, "train")
    numbers = parse_predictions(b"index,real,predicted\n3,1.5,2\n", GRAMS)
    assert numbers.to_dict("records") == [{"index": 3, "real": 1.5, "predicted": 2}]


def test_what_a_diverged_network_predicts_survives_the_disk(tmp_path: Path) -> None:
    save_predictions({"test": of_numbers([1, 2, 3], [np.nan, np.inf, -np.inf])}, tmp_path / "p.csv")
    save_predictions({"test": of_classes([0], [[np.nan, np.nan]], NAMES)}, tmp_path / "c.csv")

    numbers = load_predictions(tmp_path / "p.csv", GRAMS)["predicted"].to_numpy()
    assert np.array_equal(numbers, [np.nan, np.inf, -np.inf], equal_nan=True)
    assert np.isnan(probabilities(load_predictions(tmp_path / "c.csv", CLASSES))).all()


def test_baselines_are_loaded_by_name(tmp_path: Path) -> None:
    for name in ["mean", "linear"]:
        save_predictions({"test": of_numbers([1], [2])}, tmp_path / f"{name}.csv")

    assert list(load_baselines(tmp_path, GRAMS)) == ["linear", "mean"]


def test_damaged_predictions_are_named_with_their_stage(tmp_path: Path) -> None:
    (tmp_path / "mlp.csv").write_text("<<<<<<< HEAD\n", "utf-8")

    with pytest.raises(UserError, match=r"mlp\.csv: missing or damaged: make it by `dvc repro evaluate@mlp`"):
        load_predictions(tmp_path / "mlp.csv", GRAMS)
    with pytest.raises(UserError, match=r"mlp\.csv: missing or damaged: make it by `dvc repro baseline@"):
        load_baselines(tmp_path, GRAMS)
    with pytest.raises(UserError, match="none: missing: make it by `dvc repro baseline@none`"):
        load_baselines(tmp_path / "none", GRAMS)
    (tmp_path / "mlp.csv").write_text("index,real,predicted\n1,2,many\n", "utf-8")
    with pytest.raises(UserError, match=r"mlp\.csv: missing or damaged"):
        load_predictions(tmp_path / "mlp.csv", GRAMS)


def test_any_name_of_a_class_survives_the_disk(tmp_path: Path) -> None:
    names = ["1", "01", "1.0", "1e5", "nan", "None", "true", "=1+1", "#1", "trailing ", " x", 'q"d', "a,b", "a\rb"]
    names += ["c\r\nd", "two\nlines", "tab\tname", "한국어", "قهوة", "🙂", "x" * 120, "real", "index", "split"]
    count = len(names)
    outputs = np.eye(count, dtype=np.float32)
    outputs[0] = np.nan
    saved = of_classes(range(count), outputs, names)

    save_predictions({"test": saved}, tmp_path / "p.csv")

    loaded = load_predictions(tmp_path / "p.csv", class_info((8, 8, 1), names))
    assert loaded["real"].tolist() == names
    assert list(loaded) == list(saved)
    assert np.array_equal(probabilities(loaded), outputs, equal_nan=True)


def test_what_is_not_known_is_no_empty_set(tmp_path: Path) -> None:
    table, strange = of_classes([0, 1], [[0.75, 0.25], [0.1, 0.9]], NAMES), np.array([False, True])
    for name, region in {"known": np.array([[False, False], [True, True]]), "unknown": None}.items():
        save_predictions({"test": insert_judgement(table, region, strange, CLASSES)}, tmp_path / f"{name}.csv")

    known, unknown = (load_predictions(tmp_path / f"{name}.csv", CLASSES) for name in ("known", "unknown"))

    assert known["prediction_set"].tolist() == ["", "007 | NA"]
    assert "prediction_set" not in unknown
    assert known["unfamiliar"].tolist() == unknown["unfamiliar"].tolist() == [False, True]
