"""What a recipe may ask for beside layers and optimizer: augmentation, class weights, units, stopping, transfer."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from image_recipes.archives import load_model, load_model_info, save_model
from image_recipes.backend import keras
from image_recipes.datasets import DatasetInfo, Subset
from image_recipes.errors import UserError
from image_recipes.execution import Execution, use_execution
from image_recipes.histories import join_history
from image_recipes.models import build_model
from image_recipes.params import Architecture, Layer, Recipe, validate
from image_recipes.pipelines import evaluation_feed, training_feed
from image_recipes.training import train_recipe

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 8, 8, 1), dtype=np.uint8)
BRIGHTNESS = IMAGES[:, :4].mean(axis=(1, 2, 3)) / 255
CLASSES = DatasetInfo("classification", ["dark", "bright"], None, [8, 8, 1], {}, "")
NUMBERS = DatasetInfo("regression", None, "g", [8, 8, 1], {}, "")
TARGETS = {
    # few bright ones
    "classification": (np.quantile(BRIGHTNESS, 0.8) < BRIGHTNESS).astype(np.int64),
    "regression": (20_000 + 90_000 * (BRIGHTNESS - 0.5)).astype(np.float32),
}
LAYERS = [Layer("Flatten", {}), Layer("Dense", {"units": 8, "activation": "relu"})]
CONVOLUTION: list[Any] = [{"Conv2D": {"filters": 4, "kernel_size": 3}}, "BatchNormalization", "GlobalAveragePooling2D"]


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # TensorFlow takes the number of threads before its first operation only
    monkeypatch.setattr("image_recipes.training.share_cores", lambda parts: None)


def recipe(**changes: Any) -> Recipe:
    values = {
        "dataset": "own",
        "architecture": "net",
        "start_from": "data/weights/random",
        "epochs": 4,
        "batch_size": 16,
        "precision": "float32",
        "jit_compile": "auto",
        "optimizer": {"name": "SGD", "learning_rate": 0.1},
    }
    return validate(Recipe, {**values, **changes}, "recipes.net")


def train(
    settings: Recipe, live_dir: Path, info: DatasetInfo = CLASSES, layers: Any = LAYERS, targets: Any = None
) -> tuple[keras.Model, pd.DataFrame]:
    targets = TARGETS[info.task] if targets is None else targets
    training, validation = (
        Subset(IMAGES, targets[chosen], chosen) for chosen in np.split(np.arange(len(IMAGES)), [60])
    )
    layers = layers if isinstance(layers[0], Layer) else validate(Architecture, layers, "architectures.net")
    model = train_recipe("net", settings, layers, info, training, validation, seed=3, live_dir=live_dir)
    return model, join_history(live_dir)


def test_numbers_are_learned_and_reported_in_their_unit(tmp_path: Path) -> None:
    model, history = train(recipe(standardize_targets=True, epochs=80), tmp_path / "unit", NUMBERS)
    known = TARGETS["regression"][:60]
    standardized = ((TARGETS["regression"] - known.mean()) / known.std()).astype(np.float32)
    plain, plain_history = train(recipe(epochs=80), tmp_path / "plain", NUMBERS, targets=standardized)

    variance = known.astype(float).var()
    np.testing.assert_allclose(history["val_loss"], plain_history["val_loss"] * variance, rtol=1e-2)
    outputs = plain.predict(IMAGES, verbose=0) * known.std() + known.mean()
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), outputs, rtol=1e-3)
    assert history["loss"].iloc[-1] < 0.5 * variance


def test_all_numbers_alike_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"recipes\.net\.standardize_targets: all training pictures have the number 5"):
        train(recipe(standardize_targets=True), tmp_path, NUMBERS, targets=np.full(90, 5, np.float32))


@pytest.mark.parametrize("parts", [1, 2])
def test_class_weights_are_keras_s(parts: int) -> None:
    targets = TARGETS["classification"][:60]
    # as scikit-learn's `balanced` has it
    weights = [60 / (2 * count) for count in np.bincount(targets)]
    models = []
    for ours in (True, False):
        keras.utils.set_random_seed(3)
        model = build_model(LAYERS, CLASSES, "float32", "architectures.net", "net")
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
        if ours:
            subset = Subset(IMAGES, targets, np.arange(60))
            feed, validation = training_feed(subset, 60, 3, True), evaluation_feed(subset, 60, True)
            use_execution(model, Execution(False, parts), feed, validation, weights)
            history = model.fit(feed.executions, epochs=3, steps_per_epoch=1, verbose=0)
        else:
            class_weight = dict(enumerate(weights))
            history = model.fit(IMAGES[:60], targets, batch_size=60, epochs=3, class_weight=class_weight, verbose=0)
        models.append((model, history.history))

    (first, first_history), (second, second_history) = models
    np.testing.assert_allclose(first_history["loss"], second_history["loss"], rtol=1e-5)
    for ours_weight, keras_weight in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(ours_weight, keras_weight, rtol=1e-4, atol=1e-6)


def test_a_rare_class_counts_as_much(tmp_path: Path) -> None:
    def rare_found(name: str, **changes: Any) -> float:
        model, _ = train(recipe(epochs=15, **changes), tmp_path / name)
        return float((model.predict(IMAGES, verbose=0)[TARGETS["classification"] == 1].argmax(axis=1) == 1).mean())

    assert rare_found("balanced", class_weight="balanced") > rare_found("as they are") + 0.2


def test_training_stops_early_and_goes_back_to_the_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopping = {"monitor": "val_loss", "patience": 3, "restore_best_weights": True}
    model, history = train(recipe(epochs=200, early_stopping=stopping, batch_size=4), tmp_path)

    best = int(history["val_loss"].to_numpy().argmin())
    assert len(history) == best + 1 + 3 < 200
    assert (
        f"{len(history)} epochs, best val_loss in epoch {best + 1}, whose weights are kept" in capsys.readouterr().err
    )
    found = model.evaluate(IMAGES[60:], TARGETS["classification"][60:], verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"].min(), rel=1e-5)


def test_augmentation_is_for_training_alone(tmp_path: Path) -> None:
    layers = [
        Layer("RandomFlip", {"mode": "horizontal", "seed": 1}),
        Layer("RandomBrightness", {"factor": 0.2, "seed": 2}),
    ]
    augmentation = [{name: arguments} for name, arguments in layers]
    model, history = train(recipe(augmentation=augmentation), tmp_path / "with", layers=CONVOLUTION)
    again, _ = train(recipe(augmentation=augmentation), tmp_path / "again", layers=CONVOLUTION)
    _, plain_history = train(recipe(), tmp_path / "without", layers=CONVOLUTION)

    assert not np.allclose(history["loss"], plain_history["loss"])
    outputs = model.predict(IMAGES, verbose=0)
    np.testing.assert_array_equal(outputs, again.predict(IMAGES, verbose=0))
    pixels, flipped, changed = model.layers[:3]
    images = pixels(IMAGES)
    assert not np.allclose(changed(flipped(images, training=True), training=True), images)
    np.testing.assert_array_equal(changed(flipped(images, training=False), training=False), IMAGES.astype(np.float32))
    save_model(model, CLASSES, tmp_path / "net.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "net.keras").predict(IMAGES, verbose=0), outputs)


def test_a_model_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda values: values * 2)]).save(tmp_path / "net.keras")

    with pytest.raises(UserError, match=r"net\.keras: refused, since it would run code"):
        load_model(tmp_path / "net.keras")


def test_a_model_file_says_what_it_was_trained_on(tmp_path: Path) -> None:
    model, _ = train(recipe(), tmp_path)
    info = DatasetInfo(
        "classification", ["어두움", 'it\'s "bright"'], None, [8, 8, 1], {"all": 90}, "x", "crop", [0, 0, 1, 0.5]
    )

    save_model(model, info, tmp_path / "net.keras")

    found = load_model_info(tmp_path / "net.keras")
    assert found.parts == {}
    assert (found.classes, found.fit, found.region) == (info.classes, "crop", [0, 0, 1, 0.5])
    assert keras.saving.load_model(tmp_path / "net.keras").count_params() == model.count_params()


@pytest.fixture(scope="module")
def trained_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another recipe."""
    file = tmp_path_factory.mktemp("models") / "before.keras"
    keras.utils.set_random_seed(5)
    layers = validate(Architecture, [*CONVOLUTION, {"Dropout": {"rate": 0.5}}], "architectures.before")
    model = build_model(layers, NUMBERS, "float32", "architectures.before", "before")
    model.layers[2].set_weights(
        [np.array(values, np.float32) for values in ([1, 2, 1, 2], [0] * 4, [0.1] * 4, [2] * 4)]
    )
    save_model(model, NUMBERS, file)
    return file


TRANSFER = ["Trained", {"Dense": {"units": 4, "activation": "relu"}}]
FINE_TUNING = {"epochs": 2, "optimizer": {"name": "SGD", "learning_rate": 0.01}}


def test_what_a_model_starts_from_is_frozen_first(trained_before: Path, tmp_path: Path) -> None:
    before = load_model(trained_before)
    frozen, history = train(recipe(start_from=str(trained_before)), tmp_path / "frozen", layers=TRANSFER)
    tuned, tuned_history = train(
        recipe(start_from=str(trained_before), fine_tuning=FINE_TUNING), tmp_path / "tuned", layers=TRANSFER
    )

    backbone = frozen.get_layer("backbone")
    for old, now in zip(before.layers[1].get_weights(), backbone.layers[2].get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    # its other task's head is not used, and neither dropout nor other batches' figures
    assert backbone.output_shape == (None, 4)
    features = keras.Model(before.inputs, before.layers[-2].output)
    np.testing.assert_allclose(
        backbone(IMAGES.astype(np.float32), training=True), features.predict(IMAGES, verbose=0), rtol=1e-4
    )
    # the same until then, and the epochs are numbered on
    np.testing.assert_allclose(tuned_history["loss"][:4], history["loss"], rtol=1e-5)
    assert tuned_history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    kernel = tuned.get_layer("backbone").layers[2].get_weights()[0]
    assert not np.array_equal(kernel, before.layers[1].get_weights()[0])
    assert len(tuned.trainable_weights) > len(frozen.trainable_weights)


def test_the_best_of_both_trainings_is_kept(trained_before: Path, tmp_path: Path) -> None:
    stopping = {"monitor": "val_loss", "patience": 2, "restore_best_weights": True}
    # makes it worse
    tuning = {"epochs": 5, "optimizer": {"name": "Adam", "learning_rate": 1.0}}
    model, history = train(
        recipe(epochs=1, start_from=str(trained_before), early_stopping=stopping, fine_tuning=tuning),
        tmp_path,
        layers=TRANSFER,
    )

    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["val_loss"].idxmin() == 0
    found = model.evaluate(IMAGES[60:], TARGETS["classification"][60:], verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"][0], rel=1e-5)


def test_what_is_no_augmentation_is_refused(tmp_path: Path) -> None:
    for name in ("MixUp", "Dense", "Equalization"):
        with pytest.raises(UserError, match=rf"recipes\.net\.augmentation\.0: {name} does not change pictures alone"):
            train(recipe(augmentation=[name]), tmp_path)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network of keras.applications: not ImageNet's, since there may be no internet."""
    file = tmp_path_factory.mktemp("weights") / "MobileNetV2.weights.h5"
    keras.utils.set_random_seed(9)
    keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.35).save_weights(
        file
    )
    return file


MOBILE_NET = [Layer("MobileNetV2", {"alpha": 0.35}), Layer("GlobalAveragePooling2D", {})]


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_of_keras_prepares_pictures_itself(channels: int, weights: Path, tmp_path: Path) -> None:
    info = DatasetInfo("classification", ["a", "b"], None, [48, 40, channels], {}, "")
    images = np.random.default_rng(1).integers(0, 256, (3, 48, 40, channels), dtype=np.uint8)

    model = build_model(MOBILE_NET, info, "float32", "architectures.net", "net", start_from=str(weights))

    network = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(48, 40, 3), alpha=0.35)
    network.load_weights(weights)
    prepared = keras.applications.mobilenet_v2.preprocess_input(
        np.broadcast_to(images, (3, 48, 40, 3)).astype(np.float32)
    )
    features = model.get_layer("backbone")(images.astype(np.float32))
    np.testing.assert_allclose(features, network.predict(prepared, verbose=0), rtol=1e-3, atol=1e-4)
    assert [weight.path for weight in model.trainable_weights if "head" not in weight.path] == []
    model.compile()
    save_model(model, info, tmp_path / "net.keras")
    loaded = load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "DenseNet121", "EfficientNetB0", "MobileNetV3Small"])
def test_each_family_has_its_own_preparation(name: str, tmp_path: Path) -> None:
    info = DatasetInfo("regression", None, "g", [40, 40, 3], {}, "")
    images = np.random.default_rng(1).integers(0, 256, (2, 40, 40, 3), dtype=np.uint8)

    layers = [Layer(name, {}), Layer("GlobalAveragePooling2D", {})]
    model = build_model(layers, info, "float32", "architectures.net", "net")

    backbone = model.get_layer("backbone")
    assert backbone.trainable
    # the network's own module prepares its pictures; random weights, but the same ones
    make = getattr(keras.applications, name)
    network = make(include_top=False, weights=None, input_shape=(40, 40, 3))
    network.set_weights(backbone.get_weights())
    prepared = sys.modules[make.__module__].preprocess_input(images.astype(np.float32))
    expected = network.predict(prepared, verbose=0)
    np.testing.assert_allclose(backbone.predict(images.astype(np.float32), verbose=0), expected, rtol=1e-3, atol=1e-3)
    model.compile()
    save_model(model, info, tmp_path / "net.keras")
    outputs = load_model(tmp_path / "net.keras").predict(images, verbose=0)
    np.testing.assert_array_equal(outputs, model.predict(images, verbose=0))


def test_half_precision_reaches_into_a_network(weights: Path) -> None:
    info = DatasetInfo("classification", ["a", "b"], None, [32, 32, 3], {}, "")

    model = build_model(MOBILE_NET, info, "mixed_bfloat16", "architectures.net", "net", start_from=str(weights))

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
    start = start.format(weights=weights, model=trained_before)
    info = DatasetInfo("classification", ["a", "b"], None, shape, {}, "")

    with pytest.raises(UserError, match=message):
        build_model(
            layers,
            info,
            "float32",
            "architectures.net",
            "net",
            start_from="data/weights/random" if start == "random" else start,
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fine_tuning": FINE_TUNING}, "fine_tuning: random weights are trained from the start"),
        ({"augmentation": ["RandomFlip"], "jit_compile": True}, "XLA cannot compile augmentation: give auto or false"),
        ({"early_stopping": {"monitor": "val_loss"}}, "early_stopping.patience: missing: add it"),
        (
            {"early_stopping": {"monitor": "val_loss", "patience": 1, "restore_best_weights": True, "patiance": 2}},
            "early_stopping: unknown key 'patiance': did you mean 'patience'",
        ),
        ({"class_weight": "even"}, "class_weight: give 'balanced', not 'even'"),
        ({"augmentation": []}, "augmentation: give at least one"),
    ],
)
def test_a_bad_recipe_is_explained(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        recipe(**changes)
