"""Which file a prediction is about."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.errors import UserError
from image_recipes.results.paths import insert_paths
from image_recipes.results.predictions import load_predictions, save_predictions
from predictions import of_classes
from recipes import class_info

CLASSES = ["cat", "dog"]


def test_predictions_name_their_files(tmp_path: Path) -> None:
    prepared = tmp_path / "pets"
    prepared.mkdir()
    pd.DataFrame({"path": ["cat/a, b.jpg", "dog/007", "dog/NA"], "sha256": "x"}).to_csv(prepared / "pictures.csv")
    table = of_classes([1, 0], [[0.2, 0.8], [0.9, 0.1]], CLASSES).assign(index=[2, 0])

    named = insert_paths(table, prepared)
    save_predictions({"test": named}, tmp_path / "p.csv")

    assert named["path"].tolist() == ["dog/NA", "cat/a, b.jpg"]
    assert "path" not in table
    loaded = load_predictions(tmp_path / "p.csv", class_info((8, 8, 1), CLASSES))
    pd.testing.assert_frame_equal(loaded, named, check_dtype=False)


def test_pictures_that_are_no_files_are_named_by_their_place(tmp_path: Path) -> None:
    table = of_classes([1, 0], np.eye(2)[[1, 0]], CLASSES).assign(index=[61203, 5])

    assert insert_paths(table, tmp_path)["path"].tolist() == ["#61203", "#5"]


def test_a_list_of_files_that_is_too_short_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"path": ["a.jpg"]}).to_csv(tmp_path / "pictures.csv", index=False)

    with pytest.raises(UserError, match=r"pictures\.csv: missing or damaged: make it by `dvc repro prepare@"):
        insert_paths(of_classes([1], [[0.2, 0.8]], CLASSES).assign(index=[1]), tmp_path)
