"""What a model sees before it answers."""

from pathlib import Path

import numpy as np
import pytest

from image_recipes.models.backend import keras
from image_recipes.models.build import Scale, build_model
from image_recipes.models.embedding import add_embedding
from image_recipes.models.recipe import Layer
from image_recipes.models.saving import load_model, save_model
from recipes import make_recipe, number_info, save_trained

INFO = number_info([8, 8, 1])


@pytest.mark.parametrize("scale", [None, Scale(100.0, 20.0)])
def test_the_head_makes_the_output_of_the_embedding(tmp_path: Path, scale: Scale | None) -> None:
    layers = [Layer("Flatten", {}), Layer("Dense", {"units": 6, "activation": "relu"}), Layer("Dropout", {"rate": 0.5})]
    save_model(build_model(make_recipe(layers), INFO, scale), INFO, tmp_path / "net.keras")
    model = load_model(tmp_path / "net.keras")
    pictures = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 1), dtype=np.uint8)

    embedding, outputs = add_embedding(model).predict_on_batch(pictures)

    assert embedding.shape == (3, 6)
    np.testing.assert_array_equal(outputs, model.predict_on_batch(pictures))
    kernel, bias = model.get_layer("head").get_weights()
    numbers = embedding @ kernel + bias
    wanted = numbers if scale is None else numbers * scale.deviation + scale.mean
    np.testing.assert_allclose(outputs, wanted, rtol=1e-5)


def test_it_works_behind_a_backbone(tmp_path: Path) -> None:
    start = save_trained(tmp_path / "start.keras")
    model = build_model(make_recipe([Layer("Trained", {})], start_from=str(start)), INFO)

    embedding, _ = add_embedding(model).predict_on_batch(np.zeros((2, 8, 8, 1), np.uint8))

    assert embedding.shape == (2, keras.ops.shape(model.get_layer("backbone").output)[1])
