"""Whatever stands in a file that a stage has left: it is loaded, and can be used, or it is refused in one line."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzing import damaged, loaded_or_refused
from image_recipes.comparison.learning_curve import judge_curve
from image_recipes.comparison.table import make_table
from image_recipes.comparison.verdict import judge_recipes
from image_recipes.core.dataset import DatasetInfo, load_prepared, load_split, save_prepared, save_split
from image_recipes.core.errors import UserError
from image_recipes.core.files import save_table
from image_recipes.core.groups import find_groups
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.results.folds import summarize_folds
from image_recipes.results.heatmaps import Heatmaps, load_heatmaps, save_heatmaps
from image_recipes.results.history import load_history
from image_recipes.results.learning_curve import curve_file, load_curve
from image_recipes.results.metrics import load_baseline_metrics, load_metrics, save_metrics
from image_recipes.results.paths import insert_paths
from image_recipes.results.predictions import load_predictions, save_predictions
from image_recipes.results.suspects import (
    Suspects,
    load_out_of_fold,
    load_suspects,
    save_out_of_fold,
    save_suspects,
)
from image_recipes.results.tables import PAIR_COLUMNS, load_table
from predictions import of_classes, of_numbers

NAMES = ["a", "NA", "007"]
CLASSES = DatasetInfo(CLASSIFICATION, NAMES, None, [2, 2, 1], {"all": 4}, "a test")
NUMBERS = DatasetInfo(REGRESSION, None, "g", [2, 2, 1], {"train": 3, "test": 1}, "a test")
FIGURES = {f"test_accuracy{end}": 0.5 for end in ("", "_low", "_high")} | {"val_accuracy": 0.5, "val_loss": 1.0}
HISTORY = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25], "val_loss": [1.0, np.nan]})
CURVE = pd.DataFrame(
    {
        "repeat": [1, 1, 2, 2],
        "pictures": [5, 10, 5, 10],
        "epochs": [3, 4, 3, 4],
        "accuracy": [0.5, 0.6, 0.4, 0.7],
        "gain": [np.nan, 0.1, np.nan, 0.3],
        "gain_error": [np.nan, 0.1, np.nan, 0.1],
        "inputs": "0f" * 16,
    }
)
PAIRS = pd.DataFrame(
    {
        "first": ["net"],
        "second": ["baseline: linear"],
        "pictures": [4],
        "p": [0.5],
        "p_holm": [0.5],
        "better": [""],
        "verdict": ["no evidence"],
    }
)


def save_all() -> None:
    """Write one of each file into the current folder."""
    save_prepared(np.zeros((4, 2, 2, 1), np.uint8), np.array([0, 1, 2, 0]), CLASSES, Path("classes"))
    save_prepared(np.zeros((4, 2, 2, 1), np.uint8), np.arange(4, dtype=np.float32), NUMBERS, Path("numbers"))
    Path("classes/pictures.csv").write_text("path,group,duplicates,sha256\na,,1,f\nb,g,1,e\nc,g,,d\nd,,,c\n", "utf-8")
    save_split({"train": np.array([2, 0, 1])}, Path("split"))
    outputs = np.eye(4, 3, dtype=np.float32)
    predicted = {split: of_classes([0, 1, 2, 0], outputs, NAMES) for split in ("train", "test")}
    save_predictions({split: insert_paths(rows, Path("classes")) for split, rows in predicted.items()}, Path("c.csv"))
    save_predictions({"test": of_numbers([1, 2, 3], [1, 2.5, 3])}, Path("n.csv"))
    save_metrics(FIGURES, Path("net.json"))
    save_metrics(FIGURES, Path("baselines/linear.json"))
    save_table(HISTORY, Path("history.csv"))
    save_table(pd.DataFrame({"fold": [1, 2], "accuracy": [0.5, 0.75]}), Path("net.folds.csv"))
    save_heatmaps(Heatmaps(np.array([2, 0]), np.zeros((2, 2, 2), np.uint8), "CAM"), Path("data/heatmaps/own/net.npz"))
    save_table(CURVE, curve_file("net"))
    save_table(PAIRS, Path("pairs.csv"))
    save_table(pd.DataFrame({"recipe": ["net"], "parameters": [3], "test_accuracy": [0.5]}), Path("table.csv"))
    save_out_of_fold(outputs, "own", "net")
    table = pd.DataFrame([[1, "test", 2, "c", "a", "NA", 0.75, 1]])
    table.columns = ["rank", "split", "index", "path", "label", "suggested", "doubt", "doubted_by"]
    save_suspects(Suspects(table, 4, 4, 1), "own")


def use_metrics() -> Any:
    figures, baselines = (
        load_metrics(Path(), ["net"], CLASSIFICATION),
        load_baseline_metrics(Path("baselines"), CLASSIFICATION),
    )
    make_table(CLASSIFICATION, figures, baselines, {})
    return judge_recipes(CLASSES, figures, baselines, {"linear": of_classes([0], [[1, 0, 0]], NAMES)}, PAIRS)


def use_pairs() -> Any:
    pairs = load_table(Path("pairs.csv"), "own", PAIR_COLUMNS)
    baselines = {"linear": of_classes([0], [[1, 0, 0]], NAMES)}
    return len(pairs) and judge_recipes(CLASSES, {"net": FIGURES}, {"linear": FIGURES}, baselines, pairs)


def use_predictions(file: str, info: DatasetInfo) -> Any:
    predictions = load_predictions(Path(file), info)
    evaluation = EVALUATION[info.task]
    evaluation.rank_errors(predictions), evaluation.break_down(predictions, info)
    return np.arange(4)[predictions["index"]]


def use_prepared(folder: str) -> Any:
    prepared = load_prepared(Path(folder))
    chosen = prepared.subset(load_split(Path("split"), "train"))
    prepared.info.class_names[int(chosen.targets[0])] if prepared.info.classes else None
    return insert_paths(pd.DataFrame({"index": chosen.indices}), Path(folder)), chosen.read()


def use_curve() -> Any:
    table = load_curve("net", "accuracy")
    return table is not None and list(map(str, judge_curve(CLASSIFICATION, table)))


USES: dict[str, tuple[str, Callable[[], Any]]] = {
    "images": ("classes/images.npy", lambda: use_prepared("classes")),
    "classes": ("classes/targets.npy", lambda: use_prepared("classes")),
    "numbers": ("numbers/targets.npy", lambda: use_prepared("numbers")),
    "info of classes": ("classes/dataset.json", lambda: use_prepared("classes")),
    "info of numbers": ("numbers/dataset.json", lambda: use_prepared("numbers")),
    "split": ("split/train.npy", lambda: use_prepared("classes")),
    "list of pictures": ("classes/pictures.csv", lambda: use_prepared("classes")),
    "groups": ("classes/pictures.csv", lambda: find_groups(Path("classes"), np.array([3, 1]))),
    "predictions of classes": ("c.csv", lambda: use_predictions("c.csv", CLASSES)),
    "predictions of numbers": ("n.csv", lambda: use_predictions("n.csv", NUMBERS)),
    "metrics": ("net.json", use_metrics),
    "metrics of baselines": ("baselines/linear.json", use_metrics),
    "history": ("history.csv", lambda: load_history(Path("history.csv")).astype(float)),
    "folds": ("net.folds.csv", lambda: summarize_folds(Path("net.folds.csv"), CLASSIFICATION)),
    "heat maps": ("data/heatmaps/own/net.npz", lambda: load_heatmaps("own", "net")),
    "learning curve": (str(curve_file("net")), use_curve),
    "pairs": ("pairs.csv", use_pairs),
    "table": ("table.csv", lambda: load_table(Path("table.csv"), "own")),
    "out of fold": ("data/out_of_fold/own/net.npy", lambda: load_out_of_fold("own", "net", 4, CLASSES)),
    "suspects": ("metrics/suspects/own.csv", lambda: load_suspects("own", CLASSES)),
    "numbers of suspects": ("metrics/suspects/own.json", lambda: load_suspects("own", CLASSES)),
}


@pytest.fixture(scope="module", autouse=True)
def _in_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("damage"))
    save_all()
    yield
    os.chdir(before)


@pytest.mark.parametrize("what", USES)
def test_a_whole_file_is_used(what: str) -> None:
    assert USES[what][1]() is not None


def npy(array: np.ndarray, allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


def edited(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old.encode(), new.encode())


# what once was taken for whole, or ended in a traceback
ONCE: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("images", lambda content: npy(np.zeros((3, 2, 2, 1), np.uint8))),
    ("images", lambda content: npy(np.zeros((4, 2, 2, 3), np.uint8))),
    ("images", lambda content: npy(np.zeros((4, 2, 2, 1), np.float32))),
    ("images", lambda content: content[:-1]),
    ("classes", lambda content: npy(np.zeros(8, np.int64))),
    ("classes", lambda content: npy(np.zeros(4))),
    ("classes", lambda content: npy(np.array([0, 1, 2, 3]))),
    ("classes", lambda content: npy(np.array([0, 1, 2, -1]))),
    ("numbers", lambda content: npy(np.zeros(4))),
    ("numbers", lambda content: npy(np.array([0, 1, 2, np.nan], np.float32))),
    ("numbers", lambda content: npy(np.array([None] * 4), allow_pickle=True)),
    ("info of classes", edited('"all": 4', '"all": 5')),
    ("info of classes", edited('"a",', '"007",')),
    ("info of classes", edited('"a test"', "1")),
    ("info of classes", edited('"region"', '"regions"')),
    ("info of numbers", edited('"regression"', '"classification"')),
    ("info of numbers", edited('"pad"', '"fold"')),
    ("split", lambda content: npy(np.array([0, 4]))),
    ("split", lambda content: npy(np.array([0, -1]))),
    ("split", lambda content: npy(np.array([0, 0]))),
    ("split", lambda content: npy(np.array([0.0]))),
    ("groups", lambda content: content[:-2]),
    ("suspects", lambda content: content[:-1]),
    ("predictions of numbers", lambda content: content[:-3]),
    ("groups", edited("group", "troop")),
    ("groups", edited("d,,,c\n", "")),
    ("predictions of classes", edited("test,3,", "test,4,")),
    ("predictions of classes", edited("test,3,", "test,0,")),
    ("predictions of classes", edited("test,3,", "exam,3,")),
    ("predictions of classes", edited("NA,NA", "NA,dog")),
    ("predictions of classes", edited("probability_a", "probability_b")),
    ("predictions of numbers", edited("1.0,1.0", "1.0,1.0,1.0")),
    ("predictions of numbers", edited("2,3.0", "2,")),
    ("metrics", edited("test_accuracy", "accuracy")),
    ("history", edited("0.5", "half")),
    ("folds", edited("0.75", "many")),
    ("learning curve", edited("1,10", "3,10")),
    ("pairs", edited("better,", "best,")),
    ("pairs", edited("0.5", "?")),
    ("table", edited("recipe", "name")),
    ("out of fold", lambda content: npy(np.eye(4, dtype=np.float32))),
    ("out of fold", lambda content: npy(np.eye(4, 3))),
    ("suspects", edited("test,2", "exam,2")),
    ("suspects", edited("test,2", "test,9")),
    ("numbers of suspects", edited("4", "-4")),
]


@pytest.mark.parametrize(("what", "damage"), ONCE)
def test_what_is_damaged_is_refused(what: str, damage: Callable[[bytes], bytes]) -> None:
    file, use = Path(USES[what][0]), USES[what][1]
    whole = file.read_bytes()
    changed = damage(whole)
    assert changed != whole
    try:
        file.write_bytes(changed)
        with pytest.raises(UserError, match=r"make it|make both again"):
            use()
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize("what", USES)
@given(data=st.data())
def test_a_damaged_file_is_used_or_refused(what: str, data: st.DataObject) -> None:
    file, use = Path(USES[what][0]), USES[what][1]
    whole = file.read_bytes()
    try:
        file.write_bytes(data.draw(damaged(whole)))
        loaded_or_refused(use)
    finally:
        file.write_bytes(whole)
