"""Execution: however steps are run, they are those of Keras's own `fit`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from conftest import Project

from image_recipes import pipelines
from image_recipes.archives import load_model, save_model
from image_recipes.backend import keras, tf
from image_recipes.datasets import DatasetInfo, Subset, load_prepared, save_prepared
from image_recipes.errors import UserError
from image_recipes.execution import PARTS, Execution, choose_execution, use_execution
from image_recipes.histories import join_history, save_history
from image_recipes.models import build_model
from image_recipes.params import Layer
from image_recipes.pipelines import MEMORY_VARIABLE, evaluation_feed, fits_in_memory, training_feed
from image_recipes.training import LOSSES, METRICS, train

INFOS = {
    "classification": DatasetInfo("classification", ["dark", "bright"], None, [6, 6, 1], {}, ""),
    "regression": DatasetInfo("regression", None, "sum", [6, 6, 1], {}, ""),
}
IMAGES = np.random.default_rng(0).integers(0, 256, (70, 6, 6, 1), dtype=np.uint8)
BRIGHTNESS = (IMAGES.mean(axis=(1, 2, 3)) / 255).astype(np.float32)
TARGETS = {"classification": np.greater(BRIGHTNESS, np.median(BRIGHTNESS)).astype(np.uint8), "regression": BRIGHTNESS}

DENSE = [Layer("Flatten", {}), Layer("Dense", {"units": 8, "activation": "relu"})]
# its loss has a share that does not depend on the pictures
CONVOLUTION = [
    Layer("Conv2D", {"filters": 4, "kernel_size": 3, "activation": "relu", "kernel_regularizer": "l2"}),
    Layer("MaxPooling2D", {}),
    Layer("Flatten", {}),
]
WHOLE, DIVIDED, COMPILED = Execution(False, 1), Execution(False, PARTS), Execution(True, 1)


def pictures(task: str = "classification") -> tuple[Subset, Subset]:
    """Return 50 training and 20 validation pictures."""
    indices = np.arange(50), np.arange(50, 70)
    return Subset(IMAGES, TARGETS[task][:50], indices[0]), Subset(IMAGES, TARGETS[task][50:], indices[1])


def compiled(layers: Sequence[Layer], execution: Execution = WHOLE, task: str = "classification") -> keras.Model:
    keras.utils.set_random_seed(3)
    model = build_model(layers, INFOS[task], "float32", where="architectures.net", name="net")
    optimizer = keras.optimizers.SGD(0.1)
    model.compile(optimizer, LOSSES[task], metrics=METRICS[task], jit_compile=execution.jit_compile)
    return model


def fit(
    model: keras.Model,
    execution: Execution,
    batch_size: int,
    task: str = "classification",
    epochs: int = 2,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, list[float]]:
    training, validation = pictures(task)
    feed, validation_feed = training_feed(training, batch_size, 3, True), evaluation_feed(validation, 7, True)
    use_execution(model, execution, feed, validation_feed)
    return model.fit(
        feed.executions,
        epochs=epochs,
        steps_per_epoch=feed.per_epoch,
        validation_data=validation_feed.executions,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    ).history


def fit_by_keras_alone(model: keras.Model, batch_size: int, task: str) -> dict[str, list[float]]:
    """Fit for two epochs on the same batches, which Keras divides itself."""
    training, validation = pictures(task)
    orders = [order.numpy() for (order,) in training_feed(training, batch_size, 3, True).executions.take(2)]
    batches = [
        (training.read(batch), training.targets[batch])
        for order in orders
        for batch in np.split(order, range(batch_size, 50, batch_size))
    ]
    signature = tf.TensorSpec((None, 6, 6, 1), tf.uint8), tf.TensorSpec((None,), training.targets.dtype)
    return model.fit(
        tf.data.Dataset.from_generator(lambda: batches, output_signature=signature),
        epochs=2,
        steps_per_epoch=len(batches) // 2,
        validation_data=(validation.read(), validation.targets),
        shuffle=False,
        verbose=0,
    ).history


@pytest.mark.parametrize("execution", [WHOLE, DIVIDED, COMPILED], ids=["whole", "divided", "compiled"])
@pytest.mark.parametrize(
    ("task", "layers", "batch_size"),
    [
        # of 50 pictures, the last batch has 2, or 1
        ("classification", CONVOLUTION, 16),
        ("classification", CONVOLUTION, 7),
        ("classification", CONVOLUTION, 49),
        ("regression", DENSE, 7),
    ],
)
def test_steps_are_keras_s_own(task: str, layers: list[Layer], batch_size: int, execution: Execution) -> None:
    plain = compiled(layers, task=task)
    expected = fit_by_keras_alone(plain, batch_size, task)
    model = compiled(layers, execution, task)
    before = model.get_weights()

    history = fit(model, execution, batch_size, task)

    assert int(model.optimizer.iterations) == int(plain.optimizer.iterations) == 2 * -(-50 // batch_size)
    assert set(history) == set(expected)
    for name, values in history.items():
        assert values == pytest.approx(expected[name], rel=1e-4), name
    for ours, theirs, start in zip(model.get_weights(), plain.get_weights(), before, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        assert np.abs(ours - start).max() > 1e-3


CHOICES: dict[str, tuple[list[Layer], Literal["auto", True, False], Execution]] = {
    "dense": (DENSE, "auto", COMPILED),
    "dropout": (
        [Layer("Flatten", {}), Layer("Dropout", {"rate": 0.5}), Layer("Dense", {"units": 3})],
        "auto",
        COMPILED,
    ),
    "convolution": (CONVOLUTION, "auto", DIVIDED),
    "augmentation": ([Layer("RandomFlip", {}), *DENSE], "auto", DIVIDED),
    "a whole network": ([Layer("MobileNetV2", {}), Layer("GlobalAveragePooling2D", {})], "auto", WHOLE),
    "pooling": ([Layer("AveragePooling2D", {}), Layer("Flatten", {})], "auto", DIVIDED),
    "separable": ([Layer("SeparableConv2D", {"filters": 3, "kernel_size": 3}), *DENSE], "auto", DIVIDED),
    "batch normalization": ([*CONVOLUTION[:1], Layer("BatchNormalization", {}), *DENSE], "auto", WHOLE),
    "asked for": (CONVOLUTION, True, COMPILED),
    "declined": (DENSE, False, DIVIDED),
    "declined with batch normalization": ([Layer("BatchNormalization", {}), *DENSE], False, WHOLE),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_layers_decide_on_a_cpu(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layers, asked, expected = CHOICES[case]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])

    assert choose_execution(layers, asked) == expected


def test_a_gpu_computes_whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])

    assert choose_execution(CONVOLUTION, "auto") == choose_execution(DENSE, "auto") == COMPILED
    assert choose_execution(CONVOLUTION, False) == WHOLE


def test_batch_normalization_sees_whole_batches() -> None:
    layers = [Layer("Conv2D", {"filters": 4, "kernel_size": 3}), Layer("BatchNormalization", {}), *DENSE]
    plain, model = compiled(layers), compiled(layers)
    fit_by_keras_alone(plain, 16, "classification")

    fit(model, choose_execution(layers, "auto"), 16)

    for ours, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layers", [DENSE, CONVOLUTION])
def test_half_precision_is_for_the_listed_layers(layers: list[Layer], tmp_path: Path) -> None:
    keras.utils.set_random_seed(3)
    info = INFOS["classification"]
    model = build_model(layers, info, "mixed_bfloat16", where="architectures.net", name="net")

    assert {layer.compute_dtype for layer in model.layers[1:-1]} == {"bfloat16"}
    assert {layer.compute_dtype for layer in (model.layers[0], model.layers[-1])} == {"float32"}
    assert (
        {weight.dtype for weight in model.weights}
        == {keras.backend.standardize_dtype(model.outputs[0].dtype)}
        == {"float32"}
    )

    train(
        model,
        keras.optimizers.SGD(0.1),
        *pictures(),
        task="classification",
        execution=choose_execution(layers, "auto"),
        epochs=10,
        batch_size=16,
        seed=3,
        live_dir=tmp_path / "live",
    )

    losses = join_history(tmp_path / "live")["loss"].tolist()
    assert losses[-1] < losses[0]
    save_model(model, INFOS["classification"], tmp_path / "net.keras")
    loaded = load_model(tmp_path / "net.keras")
    assert [layer.compute_dtype for layer in loaded.layers] == [layer.compute_dtype for layer in model.layers]
    np.testing.assert_array_equal(loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0))


def test_a_layer_may_have_a_precision_of_its_own() -> None:
    layers = [Layer("Flatten", {}), Layer("Dense", {"units": 8, "dtype": "float32"})]

    model = build_model(layers, INFOS["regression"], "mixed_bfloat16", where="architectures.net", name="net")

    assert [layer.compute_dtype for layer in model.layers] == ["float32", "bfloat16", "float32", "float32"]


@pytest.mark.slow
@pytest.mark.parametrize("layers", [DENSE, CONVOLUTION], ids=["dense", "convolution"])
def test_reading_from_disk_changes_nothing(
    layers: list[Layer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_prepared(IMAGES, TARGETS["classification"], INFOS["classification"], tmp_path / "prepared")
    prepared = load_prepared(tmp_path / "prepared")
    training, validation = (prepared.subset(np.arange(*block)) for block in [(20, 70), (0, 20)])
    monkeypatch.setattr(pipelines, "EXECUTION_BYTES", 3 * 8 * training.picture_bytes)
    assert training_feed(training, 8, 3, resident=False).per_epoch == 3  # of 24, 24 and 2 pictures

    def trained(memory: str) -> tuple[bytes, bytes]:
        folder = tmp_path / f"with_{memory}"
        monkeypatch.setenv(MEMORY_VARIABLE, memory)
        assert fits_in_memory(training, validation) == (memory != "0")
        keras.utils.set_random_seed(3)
        model = build_model(layers, prepared.info, "float32", where="architectures.net", name="net")
        train(
            model,
            keras.optimizers.Adam(0.01, name="adam"),
            training,
            validation,
            task="classification",
            execution=choose_execution(layers, "auto"),
            epochs=3,
            batch_size=8,
            seed=3,
            live_dir=folder,
        )
        save_model(model, INFOS["classification"], folder / "net.keras")
        save_history(join_history(folder), folder / "history.csv")
        return (folder / "net.keras").read_bytes(), (folder / "history.csv").read_bytes()

    assert trained("0") == trained("1")


@pytest.mark.slow
def test_a_recipe_trained_from_disk_gives_equal_bytes(
    finished: Project, playground: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MEMORY_VARIABLE, "0")
    for recipe, history in [("tiny_class", "mnist/tiny_class.csv"), ("tiny_number", "dots/tiny_number.csv")]:
        files = [f"models/{recipe}.keras", f"plots/history/{history}"]
        for file in files:
            (playground.root / file).unlink()
        playground.run("python", "-m", "stages.train", recipe)
        for file in files:
            assert (playground.root / file).read_bytes() == (finished.root / file).read_bytes(), file


def test_pictures_fit_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    subsets = pictures()
    exactly = 70 * 36 / 2**30

    for memory, fits in [(str(exactly), True), (str(exactly * 0.99), False), ("", True)]:
        monkeypatch.setenv(MEMORY_VARIABLE, memory)
        assert fits_in_memory(*subsets) == fits, memory
    monkeypatch.setenv(MEMORY_VARIABLE, "1 GiB")
    with pytest.raises(UserError, match=r"IMAGE_RECIPES_MEMORY_GIB: give a number of GiB, such as 0\.5, not '1 GiB'"):
        fits_in_memory(*subsets)


def test_a_bad_limit_is_named(playground: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY_VARIABLE, "much")

    output = playground.fails("python", "-m", "stages.train", "tiny_number")

    assert output == "error: IMAGE_RECIPES_MEMORY_GIB: give a number of GiB, such as 0.5, not 'much'\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layers", "execution"), [(DENSE, COMPILED), (CONVOLUTION, DIVIDED)], ids=["compiled", "divided"]
)
def test_several_executions_are_as_one(
    layers: list[Layer], execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compiled(layers, execution)
    expected = fit(whole, execution, 8)
    monkeypatch.setattr(pipelines, "EXECUTION_BYTES", 3 * 8 * 36)  # three of an epoch's seven steps
    model = compiled(layers, execution)

    history = fit(model, execution, 8)

    assert int(model.optimizer.iterations) == int(whole.optimizer.iterations) == 2 * 7
    for name, values in history.items():
        assert values == pytest.approx(expected[name], rel=1e-5), name
    for ours, theirs in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_callbacks_have_their_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "EXECUTION_BYTES", 3 * 8 * 36)
    model = compiled(DENSE, COMPILED)
    batches: list[int] = []
    epochs: list[dict[str, Any]] = []
    callbacks = [
        keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: batches.append(batch),
            on_epoch_end=lambda epoch, logs: epochs.append(logs),
        ),
        # from the second epoch nothing is learned, so that the first stays the best
        keras.callbacks.LearningRateScheduler(lambda epoch: 0.0 if epoch else 0.1),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=2),
    ]

    history = fit(model, COMPILED, 8, epochs=10, callbacks=callbacks)

    assert len(epochs) == 3
    assert batches == [0, 1, 2] * 3
    assert set(epochs[0]) >= {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history["val_loss"][0] == history["val_loss"][1] == history["val_loss"][2]
    assert int(model.optimizer.iterations) == 3 * 7


def test_the_best_weights_come_back() -> None:
    model = compiled(CONVOLUTION, DIVIDED)
    model.optimizer.learning_rate = 3.0  # jumps about
    weights: list[list[np.ndarray]] = []
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights())),
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True),
    ]

    losses = fit(model, DIVIDED, 8, epochs=6, callbacks=callbacks)["val_loss"]

    best = int(np.argmin(losses))
    for ours, theirs in zip(model.get_weights(), weights[best], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_layers_that_xla_cannot_compile_run_without_it() -> None:
    layers = [Layer("RandomRotation", {"factor": 0.1}), *DENSE]
    execution = choose_execution(layers, True)
    assert execution.jit_compile

    with pytest.warns(UserWarning, match="doesn't support `jit_compile=True`"):
        history = fit(compiled(layers, execution), execution, batch_size=16)

    assert np.isfinite(history["loss"]).all()


def test_a_scaled_loss_leaves_the_steps_as_they_are() -> None:
    weights = []
    for factor in (None, 8.0):
        model = compiled(DENSE)
        model.compile(keras.optimizers.SGD(0.1, loss_scale_factor=factor), LOSSES["classification"], jit_compile=False)
        fit(model, WHOLE, batch_size=16)
        weights.append(model.get_weights())

    for plain, scaled in zip(*weights, strict=True):
        np.testing.assert_allclose(plain, scaled, rtol=1e-5, atol=1e-6)
