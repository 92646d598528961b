"""The table of suspicious labels, written and read again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.results.suspects import (
    Suspects,
    load_out_of_fold,
    load_suspects,
    save_out_of_fold,
    save_suspects,
    tabulate_suspects,
)
from recipes import class_info, number_info

INFO = class_info([8, 8, 1], ["007", "NA"])
THREE = class_info([8, 8, 1], ["a", "b", "c"])
FOUND = pd.DataFrame(
    {"position": [2, 0], "label": ["007", "NA"], "suggested": ["NA", "007"], "doubt": [0.9, 0.5], "doubted_by": [2, 1]}
)
POOL = pd.DataFrame({"split": ["train", "validation", "test"], "index": [4, 0, 1]})


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_table_says_which_file_and_split(tmp_path: Path) -> None:
    (tmp_path / "data/prepared/own").mkdir(parents=True)
    (tmp_path / "data/prepared/own/pictures.csv").write_text('path\n007/0.png\n"a,b"\nc\nd\nNA/4.png\n', "utf-8")
    save_suspects(Suspects(tabulate_suspects(FOUND, POOL, "own"), 5, 4, 2), "own")

    suspects = load_suspects("own", INFO)

    assert suspects
    assert (suspects.labels, suspects.judged, suspects.recipes) == (5, 4, 2)
    assert suspects.table.to_numpy().tolist() == [
        [1, "test", 1, "a,b", "007", "NA", 0.9, 2],
        [2, "train", 4, "NA/4.png", "NA", "007", 0.5, 1],
    ]
    assert '"suspicious": 2' in (tmp_path / "metrics/suspects/own.json").read_text("utf-8")


@pytest.mark.parametrize("info", [INFO, number_info([8, 8, 1])], ids=["classes", "numbers"])
def test_a_table_without_rows_is_read_too(info: DatasetInfo) -> None:
    save_suspects(Suspects(tabulate_suspects(FOUND.head(0), POOL, "own"), 5, 5, 2), "own")

    suspects = load_suspects("own", info)

    assert suspects
    assert not len(suspects.table)


def test_what_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    assert load_suspects("own", INFO) is None
    (tmp_path / "metrics/suspects").mkdir(parents=True)
    (tmp_path / "metrics/suspects/own.csv").write_text("rank\n1\n", "utf-8")
    with pytest.raises(UserError, match=r"own\.csv: missing or damaged: make it by `dvc repro suspects@own`"):
        load_suspects("own", INFO)


def test_predictions_out_of_fold_are_those_of_the_same_pictures() -> None:
    save_out_of_fold(np.eye(3, dtype=np.float32), "own", "net")

    np.testing.assert_array_equal(load_out_of_fold("own", "net", 3, THREE), np.eye(3))
    for recipe, pictures in [("net", 4), ("other", 3)]:
        with pytest.raises(UserError, match=rf"{recipe}\.npy: missing or damaged: make it by `dvc repro evaluate@"):
            load_out_of_fold("own", recipe, pictures, THREE)
