"""What a model may begin with: networks of keras.applications, and models of other recipes."""

import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from image_recipes.core.errors import UserError
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.recipe import RANDOM, Layer
from image_recipes.models.saving import load_model, save_model
from recipes import class_info, make_recipe, number_info, save_trained

LAYERS = [Layer("Flatten", {})]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network of keras.applications: not ImageNet's, since there may be no internet."""
    file = tmp_path_factory.mktemp("weights") / "MobileNetV2.weights.h5"
    keras.utils.set_random_seed(9)
    keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.35).save_weights(
        file
    )
    return file


@pytest.fixture(scope="module")
def trained_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another recipe."""
    return save_trained(tmp_path_factory.mktemp("models") / "before.keras")


MOBILE_NET = [Layer("MobileNetV2", {"alpha": 0.35}), Layer("GlobalAveragePooling2D", {})]


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_of_keras_prepares_pictures_itself(channels: int, weights: Path, tmp_path: Path) -> None:
    info = class_info([48, 40, channels])
    images = np.random.default_rng(1).integers(0, 256, (3, 48, 40, channels), dtype=np.uint8)

    model = build_model(make_recipe(MOBILE_NET, start_from=str(weights)), info)

    network = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(48, 40, 3), alpha=0.35)
    network.load_weights(weights)
    prepared = keras.applications.mobilenet_v2.preprocess_input(
        np.broadcast_to(images, (3, 48, 40, 3)).astype(np.float32)
    )
    features = model.get_layer("backbone")(images.astype(np.float32))
    np.testing.assert_allclose(features, network.predict(prepared, verbose=0), rtol=1e-3, atol=1e-4)
    assert [weight.path for weight in model.trainable_weights if "head" not in weight.path] == []
    save_model(model, info, tmp_path / "net.keras")
    loaded = load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "DenseNet121", "EfficientNetB0", "MobileNetV3Small"])
def test_each_family_has_its_own_preparation(name: str, tmp_path: Path) -> None:
    info = number_info([40, 40, 3])
    images = np.random.default_rng(1).integers(0, 256, (2, 40, 40, 3), dtype=np.uint8)

    layers = [Layer(name, {}), Layer("GlobalAveragePooling2D", {})]
    model = build_model(make_recipe(layers), info)

    backbone = model.get_layer("backbone")
    assert backbone.trainable
    # the network's own module prepares its pictures; random weights, but the same ones
    make = getattr(keras.applications, name)
    network = make(include_top=False, weights=None, input_shape=(40, 40, 3))
    network.set_weights(backbone.get_weights())
    prepared = sys.modules[make.__module__].preprocess_input(images.astype(np.float32))
    expected = network.predict(prepared, verbose=0)
    np.testing.assert_allclose(backbone.predict(images.astype(np.float32), verbose=0), expected, rtol=1e-3, atol=1e-3)
    save_model(model, info, tmp_path / "net.keras")
    outputs = load_model(tmp_path / "net.keras").predict(images, verbose=0)
    np.testing.assert_array_equal(outputs, model.predict(images, verbose=0))


def test_half_precision_reaches_into_a_network(weights: Path) -> None:
    info = class_info([32, 32, 3])

    model = build_model(make_recipe(MOBILE_NET, precision="mixed_bfloat16", start_from=str(weights)), info)

    assert model.get_layer("backbone").outputs[0].dtype == "bfloat16"
    assert model.outputs[0].dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"


MISTAKES: dict[str, tuple[list[Layer], str, list[int], str]] = {
    "too small": (
        MOBILE_NET,
        "random",
        [16, 16, 3],
        r"MobileNetV2 cannot be made for pictures of 16x16: .*at least 32",
    ),
    "another network's": (
        [Layer("MobileNetV2", {"alpha": 0.5}), Layer("GlobalAveragePooling2D", {})],
        "{weights}",
        [32, 32, 3],
        r"MobileNetV2.weights.h5: does not hold the weights of MobileNetV2 with {'alpha': 0.5}",
    ),
    "a network that Keras makes otherwise": (
        [Layer("EfficientNetB0", {}), Layer("GlobalAveragePooling2D", {})],
        "{weights}",
        [32, 32, 3],
        "EfficientNetB0 cannot start from a file of weights",
    ),
    "no file": (MOBILE_NET, "nowhere.h5", [32, 32, 3], "nowhere.h5: not found"),
    "a fixed argument": (
        [Layer("MobileNetV2", {"include_top": True})],
        "random",
        [32, 32, 3],
        "takes no argument 'include_top' here",
    ),
    "nothing to start": (LAYERS, "{weights}", [8, 8, 1], "Flatten cannot start from .*begin with Trained"),
    "no model": ([Layer("Trained", {})], "random", [8, 8, 1], "Trained needs a model: set the recipe's start_from"),
    "other channels": ([Layer("Trained", {})], "{model}", [8, 8, 3], "does not fit pictures of shape .8, 8, 3."),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_bad_start_is_explained(case: str, weights: Path, trained_before: Path) -> None:
    layers, start, shape, message = MISTAKES[case]
    start = RANDOM if start == "random" else start.format(weights=weights, model=trained_before)
    with pytest.raises(UserError, match=message):
        build_model(make_recipe(layers, start_from=start), class_info(shape))


def test_weights_that_grow_beyond_measure_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "MobileNetV2.weights.h5"
    with h5py.File(file, "w") as weights:
        weights.create_dataset("layers/conv2d/vars/0", (2**28,), "f4", chunks=(2**10,), compression="gzip")

    with pytest.raises(UserError, match=r"MobileNetV2\.weights\.h5: .*1,073,741,824 bytes in [\d,]+: a bomb"):
        build_model(make_recipe(MOBILE_NET, start_from=str(file)), class_info([32, 32, 3]))
