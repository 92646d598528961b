"""What a frozen network makes of pictures: computed once, kept, and the same as computing it in every epoch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from image_recipes.core.dataset import Subset
from image_recipes.models.recipe import Layer
from image_recipes.training import features, fit
from image_recipes.training.fit import TrainedModel, train_recipe
from recipes import make_recipe, number_info, save_trained

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 8, 8, 1), dtype=np.uint8)
NUMBERS = (IMAGES[:, :4].mean(axis=(1, 2, 3)) / 255).astype(np.float32)
LAYERS = [
    Layer("Trained", {}),
    Layer("Dropout", {"rate": 0.3}),
    Layer("Dense", {"units": 4, "activation": "relu"}),
]
FLIP = [{"RandomFlip": {"mode": "horizontal"}}]
TUNING = {"epochs": 2, "optimizer": {"name": "SGD", "learning_rate": 0.05}}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # features are kept below the folder that a stage runs in
    monkeypatch.chdir(tmp_path)
    # TensorFlow takes the number of threads before its first operation only
    monkeypatch.setattr("image_recipes.training.fit.share_cores", lambda parts: None)
    save_trained(tmp_path / "before.keras")


def train(images: np.ndarray = IMAGES, layers: list[Layer] = LAYERS, **changes: Any) -> TrainedModel:
    """Train on 60 pictures and judge by 30."""
    parts = np.split(np.arange(len(images)), [60])
    splits = {
        name: Subset(images, NUMBERS[part], part) for name, part in zip(("train", "validation"), parts, strict=True)
    }
    recipe = make_recipe(layers, **{"start_from": "before.keras", "epochs": 3, **changes})
    return train_recipe(recipe, number_info([8, 8, 1]), splits, seed=3)


def kept() -> list[Path]:
    return sorted(Path("data/features/own").iterdir())


@pytest.mark.parametrize("changes", [{}, {"fine_tuning": TUNING}], ids=["frozen", "fine-tuned"])
def test_training_equals_training_through_the_frozen_network(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, history = train(**changes)
    assert len(kept()) == 2
    monkeypatch.setattr(fit, "divide", lambda model: None)

    through, expected = train(**changes)

    np.testing.assert_allclose(history, expected, rtol=1e-4)
    for ours, theirs in zip(model.get_weights(), through.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), through.predict(IMAGES, verbose=0), rtol=1e-4)


def test_features_are_computed_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _, first = train()
    files = kept()
    assert "what the frozen network makes of 90 pictures is computed once" in capsys.readouterr().err
    monkeypatch.setattr(features, "_compute", lambda *arguments: pytest.fail("computed again"))

    # the rest of the recipe may change
    _, again = train(epochs=2)

    assert kept() == files
    assert "of 90 pictures is in data/features/own" in capsys.readouterr().err
    np.testing.assert_array_equal(again, first[:2])


def test_other_pictures_have_features_of_their_own() -> None:
    train()
    changed = IMAGES.copy()
    changed[70, 0, 0, 0] ^= 1

    train(changed)

    # of the 60 to learn from there are the same ones
    assert len(kept()) == 3


def test_other_weights_have_features_of_their_own() -> None:
    model, _ = train(fine_tuning=TUNING)
    model.save("before.keras")

    train()

    assert len(kept()) == 4


def test_pictures_may_be_made_larger_for_the_network() -> None:
    model, _ = train(layers=[Layer("Resizing", {"height": 12, "width": 12}), *LAYERS])

    assert model.get_layer("backbone").input_shape == (None, 12, 12, 1)
    assert len(kept()) == 2


def test_with_augmentation_it_says_why_not(capsys: pytest.CaptureFixture[str]) -> None:
    train(augmentation=FLIP)

    assert not Path("data/features").exists()
    said = (
        "net: the frozen network computes every picture again in every epoch, since random_flip in front of it changes"
    )
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("damaged", [b"", b"half a file"])
def test_a_damaged_file_is_computed_again(damaged: bytes) -> None:
    before = train()
    sizes = [file.stat().st_size for file in kept()]
    for file in kept():
        file.unlink()
        file.write_bytes(damaged)

    again = train()

    assert again.history.equals(before.history)
    assert [file.stat().st_size for file in kept()] == sizes


def test_features_of_half_precision_are_kept() -> None:
    history = train(precision="mixed_bfloat16").history

    assert history["val_loss"].notna().all()
    assert {np.load(file).dtype for file in kept()} == {np.dtype("float32")}


def test_the_best_of_both_trainings_is_kept() -> None:
    wild = {"epochs": 2, "optimizer": {"name": "SGD", "learning_rate": 0.5}}
    stopping = {"monitor": "val_loss", "patience": 9, "restore_best_weights": True}

    model, history = train(fine_tuning=wild, early_stopping=stopping)

    assert int(history["val_loss"].argmin()) < 3, "fine-tuning was meant to do harm"
    errors = model.predict(IMAGES[60:], verbose=0)[:, 0] - NUMBERS[60:]
    assert (errors**2).mean() == pytest.approx(history["val_loss"].min(), rel=1e-4)
