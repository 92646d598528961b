"""`image-recipes weights`: a network's weights, fetched where there is internet."""

from pathlib import Path

import numpy as np
import pytest

from calling import call, call_fails
from image_recipes.models import backbones
from image_recipes.models.backend import keras
from projects import Project


def make_tiny(include_top: bool, weights: str) -> keras.Model:
    """Stand for a function of keras.applications that has fetched its weights."""
    assert (include_top, weights) == (False, "imagenet")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.layers[0].set_weights([np.ones((2, 1)), np.ones((1,))])
    return model


def test_weights_are_stored_and_tracked(in_bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    tracked: list[Path] = []
    monkeypatch.setattr("image_recipes.commands.weights.track", tracked.append)
    monkeypatch.setattr(backbones, "applications", lambda: {"Tiny": make_tiny})

    said = call("weights", "Tiny").stdout

    file = Path("data/weights/Tiny.weights.h5")
    assert tracked == [file]
    assert said == f"next: image-recipes add PATH --name NAME --transfer {file}\n"
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.load_weights(file)
    assert other.predict_on_batch(np.ones((1, 2))).tolist() == [[3.0]]


def test_without_internet_nothing_is_left(in_bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(include_top: bool, weights: str) -> keras.Model:
        raise OSError("no route\nto host")

    monkeypatch.setattr(backbones, "applications", lambda: {"Tiny": fail})

    output = call_fails("weights", "Tiny")

    assert "error: the weights of Tiny cannot be fetched (no route to host): run this where there is internet" in output
    assert not Path("data").exists()


def test_a_network_that_cannot_be_had_is_named(in_bare_project: Project) -> None:
    assert "did you mean 'MobileNetV2'?" in call_fails("weights", "MobilNetV2")
    assert "EfficientNetB0 cannot start from a file of weights" in call_fails("weights", "EfficientNetB0")
