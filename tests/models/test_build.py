"""Models: the lectures' architectures as published, and mistakes named before training."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.core.params import validate
from image_recipes.models.backend import keras
from image_recipes.models.build import Scale, build_model
from image_recipes.models.recipe import Layer, Layers, load_recipe
from image_recipes.models.saving import save_model, summarize
from projects import ROOT
from recipes import class_info, make_recipe, number_info

DIGITS = class_info([28, 28, 1], [str(n) for n in range(10)])
DOTS = number_info([16, 16, 1], "throws")

# the activations of the layers that have weights, as the lectures publish them
LECTURES = {
    "mnist_mlp": (335_114, ["relu", "relu", "relu", "softmax"]),
    "mnist_cnn": (217_194, ["relu", "relu", "relu", "softmax"]),
    "mnist_deep_cnn": (329_962, ["relu", "relu", "relu", "relu", "relu", "softmax"]),
    "dots_mlp": (197_633, ["relu", "relu", "linear", "linear"]),
    "dots_cnn": (42_849, ["relu", "relu", "relu", "linear"]),
    "dots_pool": (6_401, ["relu", "relu", "relu", "linear"]),
}


def build(layers: Sequence[Layer], info: DatasetInfo = DIGITS) -> keras.Sequential:
    return build_model(make_recipe(layers), info)


@pytest.mark.parametrize("name", LECTURES)
def test_a_lecture_s_model_is_as_published(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    recipe = load_recipe(name)

    model = build_model(recipe, DIGITS if recipe.settings.dataset == "mnist" else DOTS)

    parameters, activations = LECTURES[name]
    assert model.name == name
    assert model.count_params() == parameters
    assert [layer.activation.__name__ for layer in model.layers if layer.weights] == activations


def test_a_model_takes_raw_pictures() -> None:
    model = build([Layer("Flatten", {}), Layer("Dense", {"units": 3})])

    assert model.input_shape == (None, 28, 28, 1)
    assert keras.backend.standardize_dtype(model.inputs[0].dtype) == "uint8"
    assert model.get_layer("scaling").scale == pytest.approx(1 / 255)


def test_names_do_not_depend_on_what_was_built_before() -> None:
    layers = [
        Layer("MaxPooling2D", {}),
        Layer("Flatten", {}),
        Layer("Dense", {"units": 3}),
        Layer("Dense", {"units": 3}),
    ]

    names = [[layer.name for layer in build(layers).layers] for _ in range(2)]

    assert names == [["scaling", "max_pooling2d", "flatten", "dense", "dense_1", "head"]] * 2


def test_a_scale_turns_outputs_into_the_targets_unit() -> None:
    model = build_model(make_recipe([Layer("Flatten", {})]), DOTS, Scale(mean=100.0, deviation=5.0))
    model.get_layer("head").set_weights([np.zeros((256, 1)), np.array([2.0])])

    assert model.layers[-1].name == "unit"
    assert model.predict(np.zeros((1, 16, 16, 1), np.uint8), verbose=0).tolist() == [[110.0]]


def test_a_layer_may_have_a_precision_of_its_own() -> None:
    layers = [Layer("Flatten", {}), Layer("Dense", {"units": 8, "dtype": "float32"})]

    model = build_model(make_recipe(layers, precision="mixed_bfloat16"), DOTS)

    assert [layer.compute_dtype for layer in model.layers] == ["float32", "bfloat16", "float32", "float32"]


def test_what_is_no_augmentation_is_refused() -> None:
    for name in ("MixUp", "Dense", "Equalization"):
        with pytest.raises(UserError, match=rf"recipes\.net\.augmentation\.0: {name} does not change pictures alone"):
            build_model(make_recipe([Layer("Flatten", {})], augmentation=[name]), DIGITS)


BAD_LAYERS = {
    "unknown layer": (
        [Layer("Dens", {"units": 3})],
        "architectures.net.0: no 'Dens' in keras.layers: did you mean 'Dense'",
    ),
    "unknown argument": (
        [Layer("Flatten", {}), Layer("Dense", {"unit": 3})],
        "architectures.net.1: Dense takes no argument 'unit': did you mean 'units'?",
    ),
    "missing argument": ([Layer("Dense", {})], "architectures.net.0: Dense refuses its arguments"),
    "bad value": ([Layer("Dense", {"units": -1})], "architectures.net.0: Dense refuses its arguments: "),
    "unknown activation": (
        [Layer("Dense", {"units": 3, "activation": "rely"})],
        "architectures.net.0: Dense refuses its arguments",
    ),
    "flat input to a convolution": (
        [Layer("Flatten", {}), Layer("Conv2D", {"filters": 3, "kernel_size": 3})],
        "architectures.net.1: layer 1, Conv2D, does not fit its input of shape (784,): .*expected min_ndim=4",
    ),
    "kernel larger than its input": (
        [Layer("MaxPooling2D", {"pool_size": 14}), Layer("Conv2D", {"filters": 3, "kernel_size": 3})],
        "architectures.net.1: layer 1, Conv2D, does not fit its input of shape (2, 2, 1)",
    ),
    "pool larger than its input": (
        [Layer("MaxPooling2D", {"pool_size": 28}), Layer("MaxPooling2D", {"pool_size": 2})],
        "architectures.net.1: layer 1, MaxPooling2D, does not fit its input of shape (1, 1, 1)",
    ),
    "name used twice": (
        [Layer("Flatten", {"name": "flat"}), Layer("Dense", {"units": 3, "name": "flat"})],
        "architectures.net.1: another layer has the name 'flat'",
    ),
    "name of the head": (
        [Layer("Flatten", {"name": "head"})],
        "architectures.net.0: another layer has the name 'head'",
    ),
    "axis that is not there": (
        [Layer("BatchNormalization", {"axis": 7})],
        "architectures.net.0: layer 0, BatchNormalization, does not fit its input of shape (28, 28, 1)",
    ),
    "two outputs": (
        [Layer("Reshape", {"target_shape": [28, 28]}), Layer("LSTM", {"units": 3, "return_state": True})],
        "architectures.net.1: layer 1, LSTM, does not fit its input of shape (28, 28)",
    ),
    "no vector at the end": (
        [Layer("Conv2D", {"filters": 3, "kernel_size": 3})],
        "architectures.net: the last layer's output has shape (26, 26, 3), but the head takes a vector",
    ),
}


@pytest.mark.parametrize("case", BAD_LAYERS)
def test_a_bad_layer_is_named(case: str) -> None:
    layers, expected = BAD_LAYERS[case]

    with pytest.raises(UserError) as caught:
        build(layers)

    pattern = re.escape(f"params.yaml: {expected}").replace(re.escape(".*"), ".*")
    assert re.match(pattern, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def grouped(entries: list) -> list[Layer]:
    """Read layers as params.yaml gives them."""
    return validate(Layers, entries, "architectures.net")


BLOCK = [
    {"Conv2D": {"filters": 8, "kernel_size": 3, "padding": "same", "use_bias": False}},
    {"BatchNormalization": {"momentum": 0.9}},
    "ReLU",
]


def test_repeated_layers_are_as_if_written_out() -> None:
    dense = {"Dense": {"units": 8, "activation": "relu"}}
    repeated = build(grouped(["Flatten", {"Repeat": {"times": 2, "layers": [dense, {"Dropout": {"rate": 0.1}}]}}]))
    written = build(grouped(["Flatten", dense, {"Dropout": {"rate": 0.1}}, dense, {"Dropout": {"rate": 0.1}}]))

    assert repeated.get_config() == written.get_config()


def test_a_residual_block_adds_what_it_got() -> None:
    model = build(grouped([{"Residual": [{"Conv2D": {"filters": 1, "kernel_size": 3, "padding": "same"}}]}, "Flatten"]))
    block = model.get_layer("residual")
    block.set_weights([np.zeros_like(weight) for weight in block.get_weights()])
    pictures = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)

    np.testing.assert_array_equal(block(pictures), pictures)


def test_a_shortcut_is_projected_where_shapes_differ() -> None:
    smaller = [{"Conv2D": {"filters": 8, "kernel_size": 3, "strides": 2, "padding": "same"}}, *BLOCK]
    model = build(
        grouped([{"Residual": smaller}, {"Residual": BLOCK}, "Flatten", {"Residual": [{"Dense": {"units": 3}}]}])
    )

    first, second, last = (model.get_layer(name) for name in ("residual", "residual_1", "residual_2"))
    assert first.output_shape == (None, 14, 14, 8)
    assert first.get_layer("shortcut_stride").strides == (2, 2)
    assert first.get_layer("shortcut_norm").momentum == 0.9
    assert "shortcut" not in {layer.name for layer in second.layers}
    assert isinstance(last.get_layer("shortcut"), keras.layers.Dense)
    # nothing is normalized there
    assert "shortcut_norm" not in {layer.name for layer in last.layers}


def test_groups_hold_groups(tmp_path: Path) -> None:
    entries = [
        {
            "Repeat": {
                "times": 2,
                "layers": [{"Residual": [{"Repeat": {"times": 2, "layers": BLOCK}}, {"Residual": BLOCK}]}],
            }
        },
        "GlobalAveragePooling2D",
    ]
    model = build_model(make_recipe(grouped(entries), precision="mixed_bfloat16"), DIGITS)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), np.uint8)

    assert [layer.name for layer in model.layers] == [
        "scaling",
        "residual",
        "residual_1",
        "global_average_pooling2d",
        "head",
    ]
    assert model.get_layer("residual").compute_dtype == "float32"
    assert model.get_layer("residual").get_layer("conv2d_1").compute_dtype == "bfloat16"
    save_model(model, DIGITS, tmp_path / "net.keras")
    loaded = keras.saving.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(loaded.predict(pictures, verbose=0), model.predict(pictures, verbose=0))
    assert f"{model.count_params():,}" in summarize(model)


BAD_GROUPS: dict[str, tuple[list, str]] = {
    "no size that a stride makes": (
        [{"Residual": [{"Conv2D": {"filters": 3, "kernel_size": 3}}]}, "Flatten"],
        "architectures.net.0.Residual: its layers make (26, 26, 3) of (28, 28, 1), which no stride makes of its input",
    ),
    "a layer inside": (
        [{"Repeat": {"times": 2, "layers": [{"Residual": [{"Dens": {"units": 3}}]}]}}],
        "architectures.net.0.Repeat.layers.0.Residual.0: no 'Dens' in keras.layers: did you mean 'Dense'?",
    ),
    "a round too many": (
        [{"Repeat": {"times": 6, "layers": [{"MaxPooling2D": {"pool_size": 2}}]}}, "Flatten"],
        "architectures.net.0.Repeat.layers.0: round 5 of Repeat, layer 0, MaxPooling2D, does not fit its input",
    ),
    "a network inside": (
        [{"Residual": ["EfficientNetLite0"]}],
        "architectures.net.0: EfficientNetLite0 is a whole network: put it in front of Residual",
    ),
    "normalization inside": (
        [{"Residual": ["Normalization"]}],
        "architectures.net.0.Residual: Normalization is adapted in front of Residual alone: put it there",
    ),
    "no list": ([{"Residual": {"Dense": {"units": 3}}}], "architectures.net.0: Residual takes a list of layers"),
    "no number": (
        [{"Repeat": {"layers": ["Flatten"]}}],
        "architectures.net.0: Repeat takes how often, 1 to 1000, and what",
    ),
    "a bad layer inside": (
        [{"Repeat": {"times": 2, "layers": ["Flatten", 3]}}],
        "architectures.net.0: layer 1 of Repeat: a layer is its Keras name with its arguments",
    ),
    "unknown regularizer": (
        ["Flatten", {"Dense": {"units": 3, "kernel_regularizer": {"L3": {"l2": 1.0}}}}],
        "architectures.net.1.kernel_regularizer: no 'L3' in keras.regularizers: did you mean 'L",
    ),
    "unknown argument of a regularizer": (
        ["Flatten", {"Dense": {"units": 3, "kernel_regularizer": {"L2": {"rate": 1.0}}}}],
        "architectures.net.1.kernel_regularizer: L2 takes no argument 'rate': known: l2",
    ),
    "no class": (
        ["Flatten", {"Dense": {"units": 3, "kernel_initializer": {"a": 1, "b": 2}}}],
        "architectures.net.1.kernel_initializer: give one class with its arguments, such as {L2: {l2: 1e-4}}",
    ),
}


@pytest.mark.parametrize("case", BAD_GROUPS)
def test_a_bad_group_or_argument_is_named(case: str) -> None:
    entries, expected = BAD_GROUPS[case]

    with pytest.raises(UserError) as caught:
        build(grouped(entries))

    assert str(caught.value).startswith(f"params.yaml: {expected}"), str(caught.value)


def test_arguments_may_be_classes_with_arguments_of_their_own(tmp_path: Path) -> None:
    arguments = {
        "kernel_regularizer": {"L1L2": {"l1": 1e-3, "l2": 1e-2}},
        "bias_initializer": {"Constant": {"value": 0.5}},
        "kernel_constraint": {"MaxNorm": {"max_value": 2}},
    }
    model = build(grouped(["Flatten", {"Dense": {"units": 3, **arguments}}]))

    layer = model.get_layer("dense")
    assert (float(layer.kernel_regularizer.l1), float(layer.kernel_regularizer.l2)) == pytest.approx((1e-3, 1e-2))
    assert layer.bias.numpy().tolist() == [0.5] * 3
    assert layer.kernel_constraint.max_value == 2
    save_model(model, DIGITS, tmp_path / "net.keras")
    loaded = keras.saving.load_model(tmp_path / "net.keras").get_layer("dense")
    assert loaded.kernel_regularizer.get_config() == layer.kernel_regularizer.get_config()
    assert loaded.kernel_constraint.max_value == 2
