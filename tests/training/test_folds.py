"""Cross-validation: what belongs together stays together, and nothing is chosen by the pictures that judge."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.dataset import DatasetInfo, Prepared, save_prepared
from image_recipes.core.errors import UserError
from image_recipes.core.files import save_table
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.models.recipe import Layer
from image_recipes.results.folds import summarize_folds
from image_recipes.training.folds import Fold, cross_validate, plan_folds
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


def plan(info: DatasetInfo = CLASSES, groups: np.ndarray | None = None, **changes: Any) -> list[Fold]:
    groups = np.arange(48) if groups is None else groups
    return plan_folds(make_recipe(LAYERS, **changes), PREPARED[info.task], POOL, groups, seed=3)


def test_without_folds_there_is_a_header_alone(tmp_path: Path) -> None:
    save_prepared(IMAGES, PREPARED[CLASSIFICATION].targets, CLASSES, tmp_path / "own")
    save_table(cross_validate(make_recipe(LAYERS), tmp_path / "own", POOL, 3), tmp_path / "net.folds.csv")

    text = (tmp_path / "net.folds.csv").read_text("utf-8")
    assert text == "fold,train,validation,held_out,epochs,accuracy\n"
    assert summarize_folds(tmp_path / "net.folds.csv", CLASSIFICATION) == {}


@pytest.mark.parametrize("info", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_each_picture_is_held_out_once_with_its_group(info: DatasetInfo) -> None:
    # pairs
    folds = plan(info, groups=np.arange(48) // 2, folds=4)

    assert sorted(np.concatenate([fold.held_out for fold in folds])) == sorted(POOL)
    places = {picture: place for place, picture in enumerate(POOL)}
    for fold in folds:
        assert {places[picture] ^ 1 for picture in fold.held_out} == {places[picture] for picture in fold.held_out}
        assert sorted([*fold.train, *fold.held_out]) == sorted(POOL)
        np.testing.assert_array_equal(fold.validation, fold.held_out)
    if info is CLASSES:
        shares = [PREPARED[CLASSIFICATION].targets[fold.held_out].mean() for fold in folds]
        assert max(shares) - min(shares) < 0.2


def test_what_stops_training_does_not_judge_it() -> None:
    folds = plan(folds=4, early_stopping=STOPPING)

    for number, fold in enumerate(folds):
        # the next fold chooses
        assert sorted(folds[number - 1].validation) == sorted(fold.held_out)
        assert sorted([*fold.train, *fold.validation, *fold.held_out]) == sorted(POOL)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"early_stopping": STOPPING}], ids=["none", "early stopping"])
def test_each_fold_is_trained_afresh(
    changes: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_prepared(IMAGES, PREPARED[CLASSIFICATION].targets, CLASSES, tmp_path / "own")
    recipe = make_recipe(LAYERS, folds=3, epochs=2, **changes)

    table, again = (cross_validate(recipe, tmp_path / "own", POOL, 3) for _ in range(2))

    pd.testing.assert_frame_equal(table, again)
    assert table["held_out"].tolist() == [16] * 3
    assert table["validation"].tolist() == [16 if changes else 0] * 3
    save_table(table, tmp_path / "net.folds.csv")
    mean, spread = table["accuracy"].mean(), table["accuracy"].std(ddof=1)
    summary = summarize_folds(tmp_path / "net.folds.csv", CLASSIFICATION)
    assert summary == pytest.approx({"folds": 3, "folds_accuracy": mean, "folds_accuracy_std": spread}, rel=1e-5)
    assert f"net: over 3 folds: accuracy {mean:.4g} ± {spread:.2g}" in capsys.readouterr().err


def test_fewer_groups_than_folds_are_named() -> None:
    with pytest.raises(UserError, match=r"recipes\.net\.folds: 4 folds of 2 groups of pictures: give at most 2"):
        plan(folds=4, groups=np.arange(48) % 2)
