"""Training inside Keras's `fit`: the same steps, and what a recipe may ask for beside layers and optimizer."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.dataset import DatasetInfo, Subset, load_prepared, save_prepared
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.models import feeding
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.feeding import MEMORY_VARIABLE, fits_in_memory, shuffled_feed
from image_recipes.models.recipe import Layer, Recipe
from image_recipes.models.saving import load_model, save_model
from image_recipes.training.fit import TrainedModel, train_recipe
from recipes import class_info, make_recipe, number_info, save_trained

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 8, 8, 1), dtype=np.uint8)
BRIGHTNESS = (IMAGES[:, :4].mean(axis=(1, 2, 3)) / 255).astype(np.float32)
CLASSES, NUMBERS = class_info([8, 8, 1]), number_info([8, 8, 1])
TARGETS = {
    # few bright ones
    CLASSIFICATION: (np.quantile(BRIGHTNESS, 0.8) < BRIGHTNESS).astype(np.int64),
    # of a unit that is far from 1
    REGRESSION: (20_000 + 90_000 * (BRIGHTNESS - 0.5)).astype(np.float32),
}
DENSE = [Layer("Flatten", {}), Layer("Dense", {"units": 8, "activation": "relu"})]
CONVOLUTION = [
    Layer("Conv2D", {"filters": 4, "kernel_size": 3}),
    Layer("BatchNormalization", {}),
    Layer("GlobalAveragePooling2D", {}),
]


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # TensorFlow takes the number of threads before its first operation only
    monkeypatch.setattr("image_recipes.training.fit.share_cores", lambda parts: None)


def train(recipe: Recipe, info: DatasetInfo = CLASSES, targets: np.ndarray | None = None) -> TrainedModel:
    """Train on 60 pictures and judge by 30."""
    targets = TARGETS[info.task] if targets is None else targets
    parts = np.split(np.arange(len(IMAGES)), [60])
    splits = {
        name: Subset(IMAGES, targets[part], part) for name, part in zip(("train", "validation"), parts, strict=True)
    }
    return train_recipe(recipe, info, splits, seed=3)


def test_the_history_ends_where_the_model_stands() -> None:
    model, history = train(make_recipe(DENSE, optimizer={"name": "SGD", "learning_rate": 0.05}), NUMBERS, BRIGHTNESS)

    assert history.columns.tolist() == ["epoch", "loss", "val_loss"]
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    # the last epoch's weights are the model: its validation score is the history's last
    errors = model.predict(IMAGES[60:], verbose=0)[:, 0] - BRIGHTNESS[60:]
    assert (errors**2).mean() == pytest.approx(history["val_loss"].iloc[-1], rel=1e-5)
    # whoever trains it on gets Keras's own steps
    assert model.steps_per_execution == 1


def test_a_history_of_classes_has_their_accuracy() -> None:
    _, history = train(make_recipe(DENSE))

    assert history.columns.tolist() == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]


def test_training_equals_plain_keras() -> None:
    # the same steps by Keras's own loop on batches in memory
    recipe = make_recipe(DENSE, epochs=2, jit_compile="auto")
    model, _ = train(recipe, NUMBERS, BRIGHTNESS)
    keras.utils.set_random_seed(3)
    plain = build_model(recipe, NUMBERS)
    plain.compile(keras.optimizers.SGD(0.1), "mse")
    training = Subset(IMAGES, BRIGHTNESS[:60], np.arange(60))
    for (order,) in shuffled_feed(training, 16, 3, resident=True).executions.take(2):
        for start in range(0, 60, 16):
            batch = order.numpy()[start : start + 16]
            plain.train_on_batch(IMAGES[batch], BRIGHTNESS[batch])

    for ours, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_an_epoch_of_several_executions_takes_no_step_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = make_recipe(DENSE, epochs=3, jit_compile="auto")
    whole, _ = train(recipe, NUMBERS, BRIGHTNESS)
    monkeypatch.setattr(feeding, "MAX_STEPS_PER_EXECUTION", 3)  # of an epoch's 4 steps

    model, _ = train(recipe, NUMBERS, BRIGHTNESS)

    assert int(model.optimizer.iterations) == 3 * 4
    for ours, theirs in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("rate", "changes"),
    [
        (1e30, {}),
        # the loss of the only step is taken before that step destroys the weights
        (1e35, {"epochs": 1, "batch_size": 60}),
    ],
    ids=["while training", "in the last step"],
)
def test_a_diverging_loss_is_named(rate: float, changes: dict[str, int]) -> None:
    recipe = make_recipe(DENSE, optimizer={"name": "SGD", "learning_rate": rate}, **changes)

    with pytest.raises(
        UserError,
        match=r"^params\.yaml: recipes\.net: the loss is not finite in epoch \d: lower optimizer\.learning_rate",
    ):
        train(recipe, NUMBERS, BRIGHTNESS)


@pytest.mark.parametrize("layers", [DENSE, CONVOLUTION], ids=["dense", "convolution"])
def test_half_precision_is_for_the_listed_layers(layers: list[Layer], tmp_path: Path) -> None:
    model, history = train(make_recipe(layers, precision="mixed_bfloat16", epochs=10))

    assert {layer.compute_dtype for layer in model.layers[1:-1]} == {"bfloat16"}
    assert {layer.compute_dtype for layer in (model.layers[0], model.layers[-1])} == {"float32"}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert keras.backend.standardize_dtype(model.outputs[0].dtype) == "float32"
    losses = history["loss"].tolist()
    assert losses[-1] < losses[0]
    save_model(model, CLASSES, tmp_path / "net.keras")
    loaded = load_model(tmp_path / "net.keras")
    assert [layer.compute_dtype for layer in loaded.layers] == [layer.compute_dtype for layer in model.layers]
    np.testing.assert_array_equal(loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0))


@pytest.mark.slow
@pytest.mark.parametrize("layers", [DENSE, CONVOLUTION], ids=["dense", "convolution"])
def test_reading_from_disk_changes_nothing(
    layers: list[Layer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_prepared(IMAGES, TARGETS[CLASSIFICATION], CLASSES, tmp_path / "prepared")
    prepared = load_prepared(tmp_path / "prepared")
    splits = {"train": prepared.subset(np.arange(20, 70)), "validation": prepared.subset(np.arange(20))}
    monkeypatch.setattr(feeding, "EXECUTION_BYTES", 3 * 8 * 64)
    assert shuffled_feed(splits["train"], 8, 3, resident=False).per_epoch == 3  # of 24, 24 and 2 pictures
    recipe = make_recipe(
        layers, epochs=3, batch_size=8, jit_compile="auto", optimizer={"name": "Adam", "learning_rate": 0.01}
    )

    def trained(memory: str) -> tuple[bytes, pd.DataFrame]:
        monkeypatch.setenv(MEMORY_VARIABLE, memory)
        assert fits_in_memory(*splits.values()) == (memory != "0")
        # Keras numbers the names of optimizers through the whole process
        keras.utils.clear_session()
        model, history = train_recipe(recipe, CLASSES, splits, seed=3)
        save_model(model, CLASSES, tmp_path / "net.keras")
        return (tmp_path / "net.keras").read_bytes(), history

    (from_disk, first), (from_memory, second) = trained("0"), trained("1")

    assert from_disk == from_memory
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_bad_limit_of_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY_VARIABLE, "much")

    with pytest.raises(UserError, match=r"^IMAGE_RECIPES_MEMORY_GIB: give a number of GiB, such as 0\.5, not 'much'$"):
        train(make_recipe(DENSE))


def test_numbers_are_learned_and_reported_in_their_unit() -> None:
    model, history = train(make_recipe(DENSE, standardize_targets=True, epochs=80), NUMBERS)
    known = TARGETS[REGRESSION][:60]
    standardized = ((TARGETS[REGRESSION] - known.mean()) / known.std()).astype(np.float32)
    plain, plain_history = train(make_recipe(DENSE, epochs=80), NUMBERS, targets=standardized)

    variance = known.astype(float).var()
    np.testing.assert_allclose(history["val_loss"], plain_history["val_loss"] * variance, rtol=1e-2)
    outputs = plain.predict(IMAGES, verbose=0) * known.std() + known.mean()
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), outputs, rtol=1e-3)
    assert history["loss"].iloc[-1] < 0.5 * variance


def test_all_numbers_alike_are_explained() -> None:
    with pytest.raises(UserError, match=r"recipes\.net\.standardize_targets: all training pictures have the number 5"):
        train(make_recipe(DENSE, standardize_targets=True), NUMBERS, targets=np.full(90, 5, np.float32))


def test_a_rare_class_counts_as_much() -> None:
    def rare_found(**changes: Any) -> float:
        model, _ = train(make_recipe(DENSE, epochs=15, **changes))
        return float((model.predict(IMAGES, verbose=0)[TARGETS[CLASSIFICATION] == 1].argmax(axis=1) == 1).mean())

    assert rare_found(class_weight="balanced") > rare_found() + 0.2


def test_training_stops_early_and_goes_back_to_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    stopping = {"monitor": "val_loss", "patience": 3, "restore_best_weights": True}
    model, history = train(make_recipe(DENSE, epochs=200, early_stopping=stopping, batch_size=4))

    best = int(history["val_loss"].to_numpy().argmin())
    assert len(history) == best + 1 + 3 < 200
    assert (
        f"{len(history)} epochs, best val_loss in epoch {best + 1}, whose weights are kept" in capsys.readouterr().err
    )
    found = model.evaluate(IMAGES[60:], TARGETS[CLASSIFICATION][60:], verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"].min(), rel=1e-5)


def test_augmentation_is_for_training_alone(tmp_path: Path) -> None:
    layers = [
        Layer("RandomFlip", {"mode": "horizontal", "seed": 1}),
        Layer("RandomBrightness", {"factor": 0.2, "seed": 2}),
    ]
    augmentation = [{name: arguments} for name, arguments in layers]
    recipe = make_recipe(CONVOLUTION, augmentation=augmentation, epochs=2)
    model, history = train(recipe)
    again, _ = train(recipe)
    _, plain_history = train(make_recipe(CONVOLUTION, epochs=2))

    assert not np.allclose(history["loss"], plain_history["loss"])
    outputs = model.predict(IMAGES, verbose=0)
    np.testing.assert_array_equal(outputs, again.predict(IMAGES, verbose=0))
    pixels, flipped, changed = model.layers[:3]
    images = pixels(IMAGES)
    assert not np.allclose(changed(flipped(images, training=True), training=True), images)
    np.testing.assert_array_equal(changed(flipped(images, training=False), training=False), IMAGES.astype(np.float32))
    save_model(model, CLASSES, tmp_path / "net.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "net.keras").predict(IMAGES, verbose=0), outputs)


@pytest.fixture(scope="module")
def trained_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another recipe."""
    return save_trained(tmp_path_factory.mktemp("models") / "before.keras")


TRANSFER = [Layer("Trained", {}), Layer("Dense", {"units": 4, "activation": "relu"})]
FINE_TUNING = {"epochs": 2, "optimizer": {"name": "SGD", "learning_rate": 0.01}}


def test_what_a_model_starts_from_is_frozen_first(trained_before: Path) -> None:
    before = load_model(trained_before)
    frozen, history = train(make_recipe(TRANSFER, start_from=str(trained_before)))
    tuned, tuned_history = train(make_recipe(TRANSFER, start_from=str(trained_before), fine_tuning=FINE_TUNING))

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


def test_the_best_of_both_trainings_is_kept(trained_before: Path) -> None:
    stopping = {"monitor": "val_loss", "patience": 2, "restore_best_weights": True}
    # makes it worse
    tuning = {"epochs": 5, "optimizer": {"name": "Adam", "learning_rate": 1.0}}
    model, history = train(
        make_recipe(TRANSFER, epochs=1, start_from=str(trained_before), early_stopping=stopping, fine_tuning=tuning)
    )

    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["val_loss"].idxmin() == 0
    found = model.evaluate(IMAGES[60:], TARGETS[CLASSIFICATION][60:], verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"][0], rel=1e-5)
