"""Heat maps point at what a network has learned to look at."""

from pathlib import Path

import numpy as np
import pytest

from cues import CLASSES, NUMBERS, SIDE, make_cues, train_on_cues
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.explanation.explain import explain
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.recipe import Layer
from image_recipes.models.saving import load_model, save_model
from recipes import class_info, make_recipe, number_info, save_trained

FLAT = [Layer("Flatten", {}), Layer("Dense", {"units": 32, "activation": "relu"})]


def convolution(filters: int, **options: object) -> Layer:
    return Layer("Conv2D", {"filters": filters, "kernel_size": 3, "activation": "relu", **options})


POOL = Layer("MaxPooling2D", {"pool_size": 2})
NETWORKS = {
    "dense": (FLAT, "occlusion"),
    "convolutions": ([convolution(8), POOL, convolution(16), POOL, *FLAT], "Grad-CAM (HiResCAM) at conv2d_1"),
    "averaged": (
        [
            convolution(8, padding="same"),
            POOL,
            Layer("Residual", {"layers": (convolution(16, padding="same"),)}),
            Layer("BatchNormalization", {"momentum": 0.9}),
            Layer("AveragePooling2D", {"pool_size": 4}),
            Layer("Dropout", {"rate": 0.3}),
            Layer("Flatten", {}),
        ],
        "Grad-CAM (HiResCAM) at batch_normalization",
    ),
    # what it makes of a picture has a single cell
    "one cell": ([convolution(16, kernel_size=SIDE), Layer("Flatten", {})], "occlusion"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_most_of_a_map_lies_where_the_class_is_decided(name: str) -> None:
    layers, method = NETWORKS[name]
    model = train_on_cues(layers)
    images, corners, around = make_cues(8, 2)
    assert (model.predict(images, verbose=0).argmax(axis=1) == corners).all()

    heatmaps = explain(model, images, np.arange(8), CLASSIFICATION)

    assert heatmaps.method == method
    assert heatmaps.maps.shape == (8, SIDE, SIDE)
    shares = (heatmaps.maps * around).sum(axis=(1, 2)) / heatmaps.maps.sum(axis=(1, 2))
    # the place is less than a quarter of the picture
    assert around.mean() < 0.25
    assert shares.mean() > 0.6
    assert shares.min() > 0.4


@pytest.mark.parametrize("layers", [FLAT, [convolution(8), POOL, *FLAT]], ids=["dense", "convolutions"])
def test_what_lowers_a_number_shows_too(layers: list[Layer]) -> None:
    model = train_on_cues(layers, NUMBERS)
    images, corners, around = make_cues(24, 3)
    low = np.flatnonzero(corners == 0)
    assert (model.predict(images[low], verbose=0) < 0).all()

    heatmaps = explain(model, images[low], low, REGRESSION)

    assert heatmaps.indices.tolist() == low.tolist()
    shares = (heatmaps.maps * around[low]).sum(axis=(1, 2)) / heatmaps.maps.sum(axis=(1, 2))
    assert shares.mean() > 2 * around.mean()
    assert (
        around[low].reshape(len(low), -1)[range(len(low)), heatmaps.maps.reshape(len(low), -1).argmax(axis=1)]
    ).all()


def test_maps_are_the_same_each_time(tmp_path: Path) -> None:
    model = build_model(make_recipe([convolution(8), POOL, *FLAT]), CLASSES)
    save_model(model, CLASSES, tmp_path / "net.keras")
    images, _, _ = make_cues(5, 4)

    first, second = (
        explain(load_model(tmp_path / "net.keras"), images, np.arange(5), CLASSIFICATION).maps for _ in range(2)
    )

    np.testing.assert_array_equal(first, second)
    assert first.max() > 0


@pytest.mark.parametrize(
    ("network", "side", "layer"),
    [
        # of 32 pixels the last map has one cell, and the one before it two by two
        ("EfficientNetLite0", 32, "block5_expand_relu"),
        ("EfficientNetLite0", 96, "head_relu"),
        # pictures are prepared by operations that are no layers
        ("MobileNetV2", 96, "out_relu"),
    ],
)
def test_the_map_of_a_backbone_is_found_inside_it(network: str, side: int, layer: str) -> None:
    info = class_info([side, side, 3])
    layers = [Layer(network, {}), Layer("GlobalAveragePooling2D", {}), Layer("Dropout", {"rate": 0.2})]
    model = build_model(make_recipe(layers), info)
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)

    heatmaps = explain(model, images, np.arange(2), CLASSIFICATION)

    assert heatmaps.method == f"Grad-CAM (HiResCAM) at {layer}"
    assert heatmaps.maps.shape == (2, side, side)
    assert heatmaps.maps.max() > 100


def test_a_model_that_starts_from_another_is_explained(tmp_path: Path) -> None:
    info = number_info([8, 8, 1])
    start = save_trained(tmp_path / "start.keras")
    save_model(
        build_model(make_recipe([Layer("Trained", {})], start_from=str(start)), info), info, tmp_path / "net.keras"
    )
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), dtype=np.uint8)

    heatmaps = explain(load_model(tmp_path / "net.keras"), images, np.arange(3), REGRESSION)

    assert heatmaps.method == "Grad-CAM (HiResCAM) at batch_normalization"
    assert heatmaps.maps.max() > 100


@pytest.mark.parametrize("layers", [FLAT, [convolution(4), *FLAT]], ids=["dense", "convolutions"])
def test_a_model_that_has_diverged_is_not_explained(layers: list[Layer]) -> None:
    model = build_model(make_recipe(layers), CLASSES)
    model.set_weights([np.full_like(values, np.nan) for values in model.get_weights()])
    images, _, _ = make_cues(2, 5)

    heatmaps = explain(model, images, np.arange(2), CLASSIFICATION)

    assert heatmaps.maps.shape == (0, SIDE, SIDE)
    assert heatmaps.indices.tolist() == []
    assert "diverged" in heatmaps.method


def test_precision_and_many_classes_do_not_matter() -> None:
    info = class_info([SIDE, SIDE, 1], [f"class {number}" for number in range(300)])
    model = build_model(make_recipe([convolution(4), *FLAT], precision="mixed_bfloat16"), info)
    images, _, _ = make_cues(2, 6)

    assert explain(model, images, np.arange(2), CLASSIFICATION).maps.max() > 0


def test_where_nothing_speaks_for_an_answer_nothing_is_warm() -> None:
    model = build_model(make_recipe(FLAT), CLASSES)
    model.set_weights([np.zeros_like(values) for values in model.get_weights()])
    images, _, _ = make_cues(2, 7)

    assert (explain(model, images, np.arange(2), CLASSIFICATION).maps == 0).all()


def test_explaining_leaves_the_layers_of_a_model_as_they_were() -> None:
    model = build_model(make_recipe([convolution(4), *FLAT]), CLASSES)
    images, _, _ = make_cues(2, 8)
    explain(model, images, np.arange(2), CLASSIFICATION)
    before = model.get_config()

    again = keras.Sequential.from_config(before)

    assert all(type(layer).call is layer.call.__func__ for layer in model.layers)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
