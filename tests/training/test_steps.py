"""Steps: however they are run, they are those of Keras's own `fit`."""

import functools
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest

from image_recipes.core.dataset import Subset
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.models import feeding
from image_recipes.models.backend import keras, tf
from image_recipes.models.build import build_model
from image_recipes.models.feeding import evaluation_feed, shuffled_feed
from image_recipes.models.recipe import Layer
from image_recipes.training.steps import BATCH_PARTS, Execution, Weighting, choose_execution, use_execution
from recipes import class_info, make_recipe, number_info

INFOS = {CLASSIFICATION: class_info([6, 6, 1]), REGRESSION: number_info([6, 6, 1])}
IMAGES = np.random.default_rng(0).integers(0, 256, (70, 6, 6, 1), dtype=np.uint8)
BRIGHTNESS = (IMAGES.mean(axis=(1, 2, 3)) / 255).astype(np.float32)
TARGETS = {CLASSIFICATION: np.greater(BRIGHTNESS, np.median(BRIGHTNESS)).astype(np.uint8), REGRESSION: BRIGHTNESS}

DENSE = [Layer("Flatten", {}), Layer("Dense", {"units": 8, "activation": "relu"})]
# its loss has a share that does not depend on the pictures
CONVOLUTION = [
    Layer("Conv2D", {"filters": 4, "kernel_size": 3, "activation": "relu", "kernel_regularizer": "l2"}),
    Layer("MaxPooling2D", {}),
    Layer("Flatten", {}),
]
WHOLE, DIVIDED, COMPILED = Execution(False, 1), Execution(False, BATCH_PARTS), Execution(True, 1)


def pictures(task: Task = CLASSIFICATION) -> tuple[Subset, Subset]:
    """Return 50 training and 20 validation pictures."""
    indices = np.arange(50), np.arange(50, 70)
    return Subset(IMAGES, TARGETS[task][:50], indices[0]), Subset(IMAGES, TARGETS[task][50:], indices[1])


def compiled(layers: Sequence[Layer], execution: Execution = WHOLE, task: Task = CLASSIFICATION) -> keras.Model:
    keras.utils.set_random_seed(3)
    model = build_model(make_recipe(layers), INFOS[task])
    metrics = list(task.training_metrics)
    model.compile(keras.optimizers.SGD(0.1), task.loss, metrics=metrics, jit_compile=execution.jit_compile)
    return model


def fit(
    model: keras.Model,
    execution: Execution,
    batch_size: int,
    task: Task = CLASSIFICATION,
    epochs: int = 2,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, list[float]]:
    training, validation = pictures(task)
    feed, validation_feed = shuffled_feed(training, batch_size, 3, True), evaluation_feed(validation, 7, True)
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


def fit_by_keras_alone(model: keras.Model, batch_size: int, task: Task) -> dict[str, list[float]]:
    """Fit for two epochs on the same batches, which Keras divides itself."""
    training, validation = pictures(task)
    orders = [order.numpy() for (order,) in shuffled_feed(training, batch_size, 3, True).executions.take(2)]
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


CASES: dict[str, tuple[Task, list[Layer], int]] = {
    # of 50 pictures, the last batch has 2, or 1
    "batches of 16": (CLASSIFICATION, CONVOLUTION, 16),
    "batches of 7": (CLASSIFICATION, CONVOLUTION, 7),
    "batches of 49": (CLASSIFICATION, CONVOLUTION, 49),
    "numbers": (REGRESSION, DENSE, 7),
}


@functools.cache
def fitted_by_keras_alone(case: str) -> tuple[keras.Model, dict[str, list[float]]]:
    task, layers, batch_size = CASES[case]
    model = compiled(layers, task=task)
    return model, fit_by_keras_alone(model, batch_size, task)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("execution", [WHOLE, DIVIDED, COMPILED], ids=["whole", "divided", "compiled"])
def test_steps_are_keras_s_own(execution: Execution, case: str) -> None:
    task, layers, batch_size = CASES[case]
    plain, expected = fitted_by_keras_alone(case)
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


def test_no_sum_depends_on_which_thread_is_first() -> None:
    # a sum of three terms or more begins with the one whose memory is free
    normalized = [*CONVOLUTION, Layer("BatchNormalization", {}), Layer("Dense", {"units": 3})]
    model = compiled(normalized)
    training, validation = pictures()
    feed = shuffled_feed(training, 16, 3, True)
    use_execution(model, WHOLE, feed, evaluation_feed(validation, 7, True))
    order = next(iter(feed.executions))

    @tf.function
    def run() -> dict[str, tf.Tensor]:
        return model.train_function(iter([order]))

    graph = run.get_concrete_function().graph.as_graph_def()
    sums = [node for function in graph.library.function for node in function.node_def if node.op == "AddN"]
    assert sums
    assert max(len(node.input) for node in sums) == 2
    # which would join them again
    assert tf.config.optimizer.get_experimental_options()["arithmetic_optimization"] is False


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
    "normalization in a group": (
        [Layer("Residual", {"layers": (CONVOLUTION[0], Layer("BatchNormalization", {}))}), *DENSE],
        "auto",
        WHOLE,
    ),
    "windows in a group": ([Layer("Repeat", {"times": 2, "layers": (CONVOLUTION[0],)}), *DENSE], "auto", DIVIDED),
    # whose penalty is summed over a batch
    "penalized outputs": ([Layer("Conv2D", {"filters": 3, "activity_regularizer": "l2"}), *DENSE], "auto", WHOLE),
    "asked for": (CONVOLUTION, True, COMPILED),
    "declined": (DENSE, False, DIVIDED),
    "declined with batch normalization": ([Layer("BatchNormalization", {}), *DENSE], False, WHOLE),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_layers_decide_on_a_cpu(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layers, asked, expected = CHOICES[case]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])

    assert choose_execution(layers, asked) == expected


def test_augmentation_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    for devices in ([], ["a GPU"]):
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind, devices=devices: devices)
        assert not choose_execution([Layer("RandomFlip", {}), *DENSE], "auto").jit_compile


def test_a_gpu_computes_whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])

    assert choose_execution(CONVOLUTION, "auto") == choose_execution(DENSE, "auto") == COMPILED
    assert choose_execution(CONVOLUTION, False) == WHOLE


def test_batch_normalization_sees_whole_batches() -> None:
    layers = [Layer("Conv2D", {"filters": 4, "kernel_size": 3}), Layer("BatchNormalization", {}), *DENSE]
    plain, model = compiled(layers), compiled(layers)
    fit_by_keras_alone(plain, 16, CLASSIFICATION)

    fit(model, choose_execution(layers, "auto"), 16)

    for ours, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layers", "execution"), [(DENSE, COMPILED), (CONVOLUTION, DIVIDED)], ids=["compiled", "divided"]
)
def test_several_executions_are_as_one(
    layers: list[Layer], execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compiled(layers, execution)
    expected = fit(whole, execution, 8)
    monkeypatch.setattr(feeding, "EXECUTION_BYTES", 3 * 8 * 36)  # three of an epoch's seven steps
    model = compiled(layers, execution)

    history = fit(model, execution, 8)

    assert int(model.optimizer.iterations) == int(whole.optimizer.iterations) == 2 * 7
    for name, values in history.items():
        assert values == pytest.approx(expected[name], rel=1e-5), name
    for ours, theirs in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_callbacks_have_their_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "EXECUTION_BYTES", 3 * 8 * 36)
    model = compiled(DENSE)
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

    history = fit(model, WHOLE, 8, epochs=10, callbacks=callbacks)

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
        model.compile(keras.optimizers.SGD(0.1, loss_scale_factor=factor), CLASSIFICATION.loss, jit_compile=False)
        fit(model, WHOLE, batch_size=16)
        weights.append(model.get_weights())

    for plain, scaled in zip(*weights, strict=True):
        np.testing.assert_allclose(plain, scaled, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("parts", [1, 2])
def test_class_weights_are_keras_s(parts: int) -> None:
    # few bright ones
    targets = (np.quantile(BRIGHTNESS, 0.8) < BRIGHTNESS)[:60].astype(np.int64)
    # as scikit-learn's `balanced` has it
    weights = [60 / (2 * count) for count in np.bincount(targets)]
    models = []
    for ours in (True, False):
        model = compiled(DENSE)
        if ours:
            subset = Subset(IMAGES, targets, np.arange(60))
            feed, validation = shuffled_feed(subset, 60, 3, True), evaluation_feed(subset, 60, True)
            use_execution(model, Execution(False, parts), feed, validation, Weighting(weights))
            history = model.fit(feed.executions, epochs=3, steps_per_epoch=1, shuffle=False, verbose=0)
        else:
            class_weight = dict(enumerate(weights))
            history = model.fit(IMAGES[:60], targets, batch_size=60, epochs=3, class_weight=class_weight, verbose=0)
        models.append((model, history.history))

    (first, first_history), (second, second_history) = models
    np.testing.assert_allclose(first_history["loss"], second_history["loss"], rtol=1e-5)
    for ours_weight, keras_weight in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(ours_weight, keras_weight, rtol=1e-4, atol=1e-6)
