"""Normalization layers: adapted to the training pictures before training, and to nothing else."""

from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.dataset import Subset
from image_recipes.models import feeding
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.recipe import Layer
from image_recipes.models.saving import load_model, save_model
from image_recipes.training.adapting import adapt_normalization
from image_recipes.training.features import Halves, divide
from recipes import make_recipe, number_info

# of channels that differ much
SCALES = np.array([1.0, 0.2, 0.01])
IMAGES = (np.random.default_rng(0).integers(0, 256, (90, 6, 6, 3)) * SCALES).astype(np.uint8)
INFO = number_info([6, 6, 3])
TRAINING = Subset(IMAGES, np.zeros(60, np.float32), np.arange(30, 90))
NORMALIZED = [Layer("Normalization", {}), Layer("Flatten", {})]


def adapted(layers: list[Layer], **changes: str) -> keras.Sequential:
    model = build_model(make_recipe(layers, **changes), INFO)
    adapt_normalization(model, TRAINING)
    return model


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_it_goes_by_the_training_pictures(
    precision: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(feeding, "FEWEST_EVALUATED", 7)
    monkeypatch.setattr(feeding, "EVALUATION_BYTES", 1)

    layer = adapted(NORMALIZED, precision=precision).get_layer("normalization")

    pixels = IMAGES[30:].astype(float) / 255
    np.testing.assert_allclose(layer.adapt_mean.numpy(), pixels.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(layer.adapt_variance.numpy(), pixels.var(axis=(0, 1, 2)), rtol=1e-5)
    assert "net: layer normalization goes by mean and variance over 60 training pictures" in capsys.readouterr().err


def test_each_goes_by_what_reaches_it(tmp_path: Path) -> None:
    layers = [
        Layer("Normalization", {}),
        Layer("Conv2D", {"filters": 2, "kernel_size": 3, "activation": "relu"}),
        Layer("Normalization", {"axis": None}),
        Layer("Flatten", {}),
    ]
    model = adapted(layers)

    outputs = keras.Sequential(model.layers[:-1])(IMAGES[30:]).numpy()
    assert (outputs.mean(), outputs.std()) == pytest.approx((0, 1), abs=1e-4)
    save_model(model, INFO, tmp_path / "net.keras")
    np.testing.assert_array_equal(
        load_model(tmp_path / "net.keras").predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    )


def test_what_never_changes_is_not_divided_by_0() -> None:
    images = IMAGES.copy()
    images[:, :, :, 2] = 0
    model = build_model(make_recipe(NORMALIZED), INFO)
    adapt_normalization(model, Subset(images, np.zeros(90, np.float32), np.arange(90)))

    assert model.get_layer("normalization").adapt_variance.numpy()[2] == 1


def test_one_that_is_given_its_figures_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    given = Layer("Normalization", {"mean": [0.5, 0.1, 0.0], "variance": [0.1, 0.1, 0.2]})

    model = adapted([given, Layer("Flatten", {})])

    assert model.get_layer("normalization").mean.numpy().ravel() == pytest.approx([0.5, 0.1, 0.0])
    assert capsys.readouterr().err == ""


def test_what_a_model_starts_from_keeps_its_figures(tmp_path: Path) -> None:
    before = adapted(NORMALIZED)
    save_model(before, INFO, tmp_path / "before.keras")
    layers = [Layer("Trained", {}), Layer("Dense", {"units": 2})]
    model = build_model(make_recipe(layers, start_from=str(tmp_path / "before.keras")), INFO)

    adapt_normalization(model, Subset(IMAGES, np.zeros(5, np.float32), np.arange(5)))

    kept = [layer for layer in model.get_layer("backbone").layers if isinstance(layer, keras.layers.Normalization)]
    np.testing.assert_array_equal(kept[0].mean, before.get_layer("normalization").mean)


def test_in_front_of_a_frozen_network_it_costs_no_epoch(tmp_path: Path) -> None:
    before = build_model(make_recipe([Layer("Conv2D", {"filters": 2, "kernel_size": 3}), Layer("Flatten", {})]), INFO)
    save_model(before, INFO, tmp_path / "before.keras")
    layers = [Layer("Normalization", {}), Layer("Trained", {})]
    model = adapted(layers, start_from=str(tmp_path / "before.keras"))

    halves = divide(model)

    assert isinstance(halves, Halves)
    assert [layer.name for layer in halves.trained.layers] == ["head"]
