"""Model files: equal models give equal bytes, they open as they were, and none runs code."""

import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.recipe import Layer
from image_recipes.models.saving import load_model, load_model_info, save_model, summarize
from recipes import make_recipe, number_info

INFO = number_info([4, 4, 1])
LAYERS = [Layer("Flatten", {}), Layer("Dense", {"units": 8, "activation": "relu"})]


def compiled() -> keras.Model:
    model = build_model(make_recipe(LAYERS), INFO)
    model.compile("sgd", "mse")
    return model


def test_a_saved_model_is_canonical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, now = compiled(), time.time()
    for number in range(2):
        monkeypatch.setattr(time, "time", lambda number=number: now + 1_000 * number)
        save_model(model, INFO, tmp_path / f"{number}.keras")
        model.save(tmp_path / f"keras_{number}.keras")

    assert (tmp_path / "0.keras").read_bytes() == (tmp_path / "1.keras").read_bytes()
    # Keras's own differ
    assert (tmp_path / "keras_0.keras").read_bytes() != (tmp_path / "keras_1.keras").read_bytes()
    with zipfile.ZipFile(tmp_path / "0.keras") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_shared_layers_stay_shared(tmp_path: Path) -> None:
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(4, activation=keras.layers.ReLU())
    model = keras.Model(inputs, shared(shared(inputs)))
    save_model(model, INFO, tmp_path / "shared.keras")

    loaded = load_model(tmp_path / "shared.keras")

    assert loaded.count_params() == model.count_params() == 20
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_model_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda values: values * 2)]).save(tmp_path / "net.keras")

    with pytest.raises(UserError, match=r"net\.keras: refused, since it would run code"):
        load_model(tmp_path / "net.keras")


def test_a_model_file_says_what_it_was_trained_on(tmp_path: Path) -> None:
    model = compiled()
    info = DatasetInfo(
        CLASSIFICATION, ["어두움", 'it\'s "bright"'], None, [4, 4, 1], {"all": 90}, "x", "crop", [0, 0, 1, 0.5]
    )

    save_model(model, info, tmp_path / "net.keras")

    found = load_model_info(tmp_path / "net.keras")
    assert found.parts == {}
    assert (found.classes, found.fit, found.region) == (info.classes, "crop", [0, 0, 1, 0.5])
    assert keras.saving.load_model(tmp_path / "net.keras").count_params() == model.count_params()


def test_a_file_of_another_program_or_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"net\.keras: not found: get it back by `dvc checkout .*dvc repro train@net`"):
        load_model(tmp_path / "net.keras")
    (tmp_path / "net.keras").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"net\.keras: cannot be opened as a Keras model"):
        load_model(tmp_path / "net.keras")
    compiled().save(tmp_path / "net.keras")
    with pytest.raises(UserError, match="does not say how to prepare pictures for it, since another program has saved"):
        load_model_info(tmp_path / "net.keras")


def test_a_summary_counts_no_optimizer() -> None:
    model = compiled()
    before = summarize(model)
    model.optimizer.build(model.trainable_variables)

    assert summarize(model) == before
    assert "Total params: 145" in before
    assert "optimizer" not in before.lower()
