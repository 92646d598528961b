"""Models: the lectures' architectures as published, and mistakes named before training."""

import re
from collections.abc import Sequence

import pytest
from conftest import ROOT

from image_recipes.backend import keras
from image_recipes.datasets import DatasetInfo
from image_recipes.errors import UserError
from image_recipes.models import build_model
from image_recipes.optimizers import build_optimizer
from image_recipes.params import Layer, Optimizer, load_architecture, load_recipe

DIGITS = DatasetInfo("classification", [str(n) for n in range(10)], None, [28, 28, 1], {}, "")
DOTS = DatasetInfo("regression", None, "throws", [16, 16, 1], {}, "")

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
    return build_model(layers, info, "float32", where="architectures.net", name="net")


def optimizer(name: str, learning_rate: object, **arguments: object) -> Optimizer:
    return Optimizer.model_validate({"name": name, "learning_rate": learning_rate, **arguments})


@pytest.mark.parametrize("recipe", LECTURES)
def test_a_lecture_s_model_is_as_published(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings = load_recipe(recipe)
    info = DIGITS if settings.dataset == "mnist" else DOTS

    model = build(load_architecture(settings.architecture), info)

    parameters, activations = LECTURES[recipe]
    assert model.count_params() == parameters
    assert [layer.activation.__name__ for layer in model.layers if layer.weights] == activations


def test_dropout_is_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    layers = load_architecture("deep_cnn")

    assert [layer.arguments["rate"] for layer in layers if layer.class_name == "Dropout"] == [0.25, 0.25, 0.5]


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

    pattern = re.escape(expected).replace(re.escape(".*"), ".*")
    assert re.match(pattern, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_schedule_runs_over_the_whole_training() -> None:
    settings = optimizer("Adam", {"name": "CosineDecay", "initial_learning_rate": 0.003})

    schedule = build_optimizer(settings, steps=200, where="recipes.r.optimizer")._learning_rate

    assert float(schedule(0)) == pytest.approx(0.003)
    assert float(schedule(100)) == pytest.approx(0.0015)
    assert float(schedule(200)) == pytest.approx(0, abs=1e-9)


def test_a_warm_up_is_part_of_the_training() -> None:
    settings = {"name": "CosineDecay", "initial_learning_rate": 0.0, "warmup_target": 0.1, "warmup_steps": 20}

    schedule = build_optimizer(optimizer("SGD", settings), steps=100, where="recipes.r.optimizer")._learning_rate

    assert float(schedule(20)) == pytest.approx(0.1)
    assert float(schedule(100)) == pytest.approx(0, abs=1e-9)


def test_given_decay_steps_are_kept() -> None:
    settings = optimizer(
        "SGD", {"name": "ExponentialDecay", "initial_learning_rate": 1.0, "decay_rate": 0.5, "decay_steps": 10}
    )

    schedule = build_optimizer(settings, steps=200, where="recipes.r.optimizer")._learning_rate

    assert float(schedule(10)) == pytest.approx(0.5)


def test_an_optimizer_gets_its_arguments() -> None:
    built = build_optimizer(optimizer("SGD", 0.05, momentum=0.9, nesterov=True), steps=1, where="recipes.r.optimizer")

    assert float(built.learning_rate) == pytest.approx(0.05)
    assert (built.momentum, built.nesterov) == (0.9, True)


BAD_OPTIMIZERS = {
    "unknown optimizer": (
        optimizer("Addam", 0.1),
        "recipes.r.optimizer: no 'Addam' in keras.optimizers: did you mean 'Adam'",
    ),
    "unknown argument": (
        optimizer("SGD", 0.1, momentun=0.9),
        "recipes.r.optimizer: SGD takes no argument 'momentun': did you mean 'momentum'?",
    ),
    "bad value": (optimizer("SGD", 0.1, momentum=7), "recipes.r.optimizer: SGD refuses its arguments"),
    "unknown schedule": (
        optimizer("SGD", {"name": "CosineDecy", "initial_learning_rate": 0.1}),
        "recipes.r.optimizer.learning_rate: no 'CosineDecy' in keras.optimizers.schedules: did you mean 'CosineDecay'?",
    ),
    "text for a number": (optimizer("Adam", 0.1, beta_1="0.9"), "recipes.r.optimizer: Adam cannot use its arguments"),
    "text in a schedule": (
        optimizer("Adam", {"name": "CosineDecay", "initial_learning_rate": "fast"}),
        "recipes.r.optimizer: Adam cannot use its arguments",
    ),
    "too long a warm-up": (
        optimizer(
            "SGD", {"name": "CosineDecay", "initial_learning_rate": 0.0, "warmup_target": 0.1, "warmup_steps": 10}
        ),
        "recipes.r.optimizer.learning_rate.warmup_steps: give a whole number below the run's 10 steps, not 10",
    ),
    "unknown argument of a schedule": (
        optimizer("SGD", {"name": "CosineDecay", "initial_rate": 0.1}),
        "recipes.r.optimizer.learning_rate: CosineDecay takes no argument 'initial_rate'",
    ),
}


@pytest.mark.parametrize("case", BAD_OPTIMIZERS)
def test_a_bad_optimizer_is_named(case: str) -> None:
    settings, expected = BAD_OPTIMIZERS[case]

    with pytest.raises(UserError) as caught:
        build_optimizer(settings, steps=10, where="recipes.r.optimizer")

    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
