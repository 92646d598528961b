"""Cross-validation: what belongs together stays together, and nothing is chosen by the pictures that judge."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.dataset import DatasetInfo, Prepared
from image_recipes.core.errors import UserError
from image_recipes.core.files import save_table
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.models.recipe import Layer
from image_recipes.results.folds import summarize_folds
from image_recipes.training import folds
from image_recipes.training.folds import cross_validate, find_groups
from recipes import class_info, make_recipe, number_info

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 4, 4, 1), dtype=np.uint8)
BRIGHTNESS = (IMAGES.mean(axis=(1, 2, 3)) / 255).astype(np.float32)
CLASSES, NUMBERS = class_info([4, 4, 1]), number_info([4, 4, 1])
# one in four is bright
PREPARED = {
    CLASSIFICATION: Prepared(IMAGES, (np.quantile(BRIGHTNESS, 0.75) < BRIGHTNESS).astype(np.int64), CLASSES),
    REGRESSION: Prepared(IMAGES, BRIGHTNESS, NUMBERS),
}
POOL = np.arange(60)[::-1][:48]
LAYERS = [Layer("Flatten", {})]
STOPPING = {"monitor": "val_loss", "patience": 1, "restore_best_weights": True}


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # TensorFlow takes the number of threads before its first operation only
    monkeypatch.setattr("image_recipes.training.fit.share_cores", lambda parts: None)


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, np.ndarray]]:
    """The positions of the pictures that each training sees."""
    seen: list[dict[str, np.ndarray]] = []
    real = folds.train_recipe

    def record(recipe: Any, info: DatasetInfo, splits: Any, seed: int) -> Any:
        seen.append({name: subset.indices for name, subset in splits.items()})
        return real(recipe, info, splits, seed)

    monkeypatch.setattr(folds, "train_recipe", record)
    return seen


def validated(info: DatasetInfo = CLASSES, groups: np.ndarray | None = None, **changes: Any) -> pd.DataFrame:
    recipe = make_recipe(LAYERS, **{"epochs": 2, **changes})
    return cross_validate(recipe, PREPARED[info.task], POOL, np.arange(48) if groups is None else groups, seed=3)


def test_without_folds_there_is_a_header_alone(tmp_path: Path) -> None:
    save_table(validated(), tmp_path / "net.folds.csv")

    text = (tmp_path / "net.folds.csv").read_text("utf-8")
    assert text == "fold,train,validation,held_out,epochs,accuracy\n"
    assert summarize_folds(tmp_path / "net.folds.csv", CLASSIFICATION) == {}


@pytest.mark.parametrize("info", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_each_picture_is_held_out_once_with_its_group(
    info: DatasetInfo, trained_on: list[dict[str, np.ndarray]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # pairs
    table = validated(info, groups=np.arange(48) // 2, folds=4)

    held_out = [trained["validation"] for trained in trained_on]
    assert sorted(np.concatenate(held_out)) == sorted(POOL)
    places = {picture: place for place, picture in enumerate(POOL)}
    for pictures in held_out:
        assert {places[picture] ^ 1 for picture in pictures} == {places[picture] for picture in pictures}
    if info is CLASSES:
        shares = [PREPARED[CLASSIFICATION].targets[pictures].mean() for pictures in held_out]
        assert max(shares) - min(shares) < 0.2
    assert table["train"].tolist() == [36] * 4
    assert table["held_out"].tolist() == [12] * 4
    save_table(table, tmp_path / "net.folds.csv")
    metric = info.task.metric
    summary = summarize_folds(tmp_path / "net.folds.csv", info.task)
    scores = table[metric]
    assert summary == pytest.approx(
        {"folds": 4, f"folds_{metric}": scores.mean(), f"folds_{metric}_std": scores.std(ddof=1)}, rel=1e-5
    )
    assert f"net: over 4 folds: {metric} {scores.mean():.4g} ± {scores.std():.2g}" in capsys.readouterr().err


def test_what_stops_training_does_not_judge_it(trained_on: list[dict[str, np.ndarray]]) -> None:
    table = validated(folds=4, early_stopping=STOPPING, epochs=5)

    for number, trained in enumerate(trained_on):
        # the next fold chooses, and the one that judges has no part
        held_out = set(POOL) - set(trained["train"]) - set(trained["validation"])
        assert len(held_out) == table["held_out"][number]
        assert set(trained_on[number - 1]["validation"]) == held_out
    assert table["validation"].tolist() == [len(trained["validation"]) for trained in trained_on]


def test_the_same_seed_gives_the_same_figures() -> None:
    pd.testing.assert_frame_equal(validated(folds=3), validated(folds=3))


def test_fewer_groups_than_folds_are_named() -> None:
    with pytest.raises(UserError, match=r"recipes\.net\.folds: 4 folds of 2 groups of pictures: give at most 2"):
        validated(folds=4, groups=np.arange(48) % 2)


def test_groups_are_joined_by_group_near_duplicates_and_content(tmp_path: Path) -> None:
    rows = ["a,,1", "a,x,2", ",x,3", ",,4", ",,4", "b,,5", ",y,6"]
    (tmp_path / "pictures.csv").write_text("group,duplicates,sha256\n" + "\n".join(rows) + "\n", "utf-8")

    groups = find_groups(tmp_path, np.array([6, 5, 4, 3, 2, 1, 0]))

    assert [list(np.flatnonzero(groups == group)) for group in dict.fromkeys(groups)] == [[0], [1], [2, 3], [4, 5, 6]]
    # a dataset whose pictures are no files
    assert len(set(find_groups(tmp_path / "none", np.arange(5)))) == 5
