"""What a recipe may ask of training by Keras's names: loss, metrics, weights, penalties, rates, averages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, TASKS, Task
from image_recipes.evaluation.inference import predict, score_by_own_metrics
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.compiling import make_objective
from image_recipes.models.feeding import shuffled_feed
from image_recipes.models.objective import LOSSES
from image_recipes.models.recipe import Layer, Recipe
from image_recipes.models.saving import load_model, save_model
from image_recipes.training.fit import TrainedModel, train_recipe
from image_recipes.training.trivial import find_trivial
from recipes import class_info, make_recipe, number_info

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 6, 6, 1), dtype=np.uint8)
BRIGHTNESS = (IMAGES[:, :3].mean(axis=(1, 2, 3)) / 255).astype(np.float32)
CLASSES, NUMBERS = class_info([6, 6, 1], ["dark", "grey", "bright"]), number_info([6, 6, 1])
TARGETS = {
    CLASSIFICATION: np.digitize(BRIGHTNESS, np.quantile(BRIGHTNESS, [0.4, 0.8])).astype(np.int64),
    REGRESSION: (20_000 + 90_000 * (BRIGHTNESS - 0.5)).astype(np.float32),
}
DENSE = [Layer("Flatten", {}), Layer("Dense", {"units": 6, "activation": "tanh"})]
STOPPING = {"monitor": "val_loss", "patience": 2, "restore_best_weights": True}


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # TensorFlow takes the number of threads before its first operation only
    monkeypatch.setattr("image_recipes.training.fit.share_cores", lambda parts: None)


def train(recipe: Recipe, info: DatasetInfo = CLASSES, targets: np.ndarray | None = None) -> TrainedModel:
    """Train on 60 pictures and judge by 30."""
    targets = TARGETS[info.task] if targets is None else targets
    parts = np.split(np.arange(90), [60])
    splits = {
        name: Subset(IMAGES, targets[part], part) for name, part in zip(("train", "validation"), parts, strict=True)
    }
    return train_recipe(recipe, info, splits, seed=3)


def train_by_keras(recipe: Recipe, info: DatasetInfo, targets: np.ndarray, **options: Any) -> tuple[keras.Model, Any]:
    """Train by Keras's own `fit`, on the same batches, given as it takes them."""
    keras.utils.set_random_seed(3)
    model = build_model(recipe, info)
    make_objective(recipe, info).compile(model, keras.optimizers.SGD(0.1))
    training = Subset(IMAGES, targets[:60], np.arange(60))
    epochs = recipe.settings.epochs
    orders = [order.numpy() for (order,) in shuffled_feed(training, 16, 3, resident=True).executions.take(epochs)]
    history: list[dict[str, float]] = []
    for order in orders:
        fitted = model.fit(
            IMAGES[order],
            targets[order],
            batch_size=16,
            shuffle=False,
            validation_data=(IMAGES[60:], targets[60:]),
            validation_batch_size=16,
            verbose=0,
            **options,
        )
        history.append({name: values[0] for name, values in fitted.history.items()})
    return model, pd.DataFrame(history)


def one_hot(targets: np.ndarray) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[targets]


@pytest.mark.parametrize(
    ("loss", "info", "targets"),
    [
        ({"CategoricalCrossentropy": {"label_smoothing": 0.2}}, CLASSES, one_hot(TARGETS[CLASSIFICATION])),
        ({"CategoricalFocalCrossentropy": {"gamma": 3.0}}, CLASSES, one_hot(TARGETS[CLASSIFICATION])),
        ({"Huber": {"delta": 0.05}}, NUMBERS, BRIGHTNESS),
        ("mae", NUMBERS, BRIGHTNESS),
    ],
    ids=str,
)
def test_a_loss_is_keras_s(loss: Any, info: DatasetInfo, targets: np.ndarray, tmp_path: Path) -> None:
    recipe = make_recipe(DENSE, loss=loss)
    model, history = train(recipe, info, TARGETS[CLASSIFICATION] if info is CLASSES else targets)
    theirs, expected = train_by_keras(recipe, info, targets)

    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4, err_msg=name)
    for ours, weight in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(ours, weight, rtol=1e-3, atol=1e-5)
    save_model(model, info, tmp_path / "net.keras")
    # for whoever has Keras alone
    loaded = keras.saving.load_model(tmp_path / "net.keras")
    found = loaded.evaluate(IMAGES[60:], targets[60:], verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"].iloc[-1], rel=1e-4)


PENALTIES = {
    "of weights": {"kernel_regularizer": {"L2": {"l2": 0.05}}},
    "of outputs": {"activity_regularizer": {"L2": {"l2": 0.01}}},
    "a constraint": {"kernel_constraint": {"MaxNorm": {"max_value": 0.3}}},
}


@pytest.mark.parametrize("case", PENALTIES)
@pytest.mark.parametrize("windows", [True, False], ids=["convolution", "dense"])
def test_penalties_are_keras_s(case: str, windows: bool) -> None:
    convolution = [Layer("Conv2D", {"filters": 3, "kernel_size": 3, **PENALTIES[case]}), Layer("Flatten", {})]
    dense = [Layer("Flatten", {}), Layer("Dense", {"units": 6, **PENALTIES[case]})]
    recipe = make_recipe(convolution if windows else dense)
    model, history = train(recipe)
    theirs, expected = train_by_keras(recipe, CLASSES, TARGETS[CLASSIFICATION])

    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4, err_msg=name)
    for ours, weight in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(ours, weight, rtol=1e-3, atol=1e-5)


def test_penalized_weights_shrink() -> None:
    def size(**arguments: Any) -> float:
        layers = [Layer("Flatten", {}), Layer("Dense", {"units": 6, **arguments})]
        return float(np.abs(train(make_recipe(layers, epochs=20)).model.get_layer("dense").get_weights()[0]).mean())

    assert size(kernel_regularizer={"L2": {"l2": 0.1}}) < 0.3 * size()


def test_huber_s_delta_counts_standard_deviations(capsys: pytest.CaptureFixture[str]) -> None:
    known = TARGETS[REGRESSION][:60]
    standardized = ((TARGETS[REGRESSION] - known.mean()) / known.std()).astype(np.float32)
    loss = {"Huber": {"delta": 0.5}}
    _, history = train(make_recipe(DENSE, loss=loss, standardize_targets=True, epochs=10), NUMBERS)
    _, plain = train(make_recipe(DENSE, loss=loss, epochs=10), NUMBERS, standardized)

    # in the unit of the numbers, squared
    np.testing.assert_allclose(history["val_loss"], plain["val_loss"] * known.astype(float).var(), rtol=1e-2)
    np.testing.assert_allclose(history["val_mse"], plain["val_mse"] * known.astype(float).var(), rtol=1e-2)
    assert "always answering the mean, " in (said := capsys.readouterr().err)
    assert "val_mse=" in said


def test_an_absolute_loss_learns_at_the_same_rate_in_any_unit() -> None:
    def errors(unit: float) -> pd.Series:
        recipe = make_recipe(DENSE, loss="mae", standardize_targets=True, epochs=10)
        return train(recipe, NUMBERS, (BRIGHTNESS * unit).astype(np.float32)).history["val_loss"] / unit

    np.testing.assert_allclose(errors(1_000), errors(1), rtol=1e-2)


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_right_answers_have_the_least_loss(task: Task) -> None:
    info = CLASSES if task is CLASSIFICATION else NUMBERS
    targets = np.array([0, 1, 2]) if task is CLASSIFICATION else np.array([1, 2, 4], np.float32)
    right = np.clip(np.eye(3), 0.01, 0.98) if task is CLASSIFICATION else targets[:, np.newaxis]
    for name in LOSSES[task]:
        objective = make_objective(make_recipe([], loss=name), info)
        assert objective.loss_of(targets, right) < objective.loss_of(targets, np.roll(right, 1, axis=0)), name


METRICS = [{"SparseTopKCategoricalAccuracy": {"k": 2, "name": "top_2"}}, {"F1Score": {"average": "macro"}}, "AUC"]


@pytest.mark.parametrize("metrics", [METRICS[:1], METRICS], ids=["by number", "one-hot"])
def test_metrics_of_classes_are_shown_saved_and_scored(metrics: list[Any], tmp_path: Path) -> None:
    model, history = train(make_recipe(DENSE, metrics=metrics, epochs=3))
    save_model(model, CLASSES, tmp_path / "net.keras")
    loaded = load_model(tmp_path / "net.keras")
    validation = Subset(IMAGES, TARGETS[CLASSIFICATION][60:], np.arange(60, 90))

    outputs = predict(loaded, validation)
    figures = score_by_own_metrics(loaded, validation.targets, outputs, CLASSES)

    assert list(figures) == ["top_2", "f1_score", "auc"][: len(metrics)]
    for name, value in figures.items():
        assert value == pytest.approx(history[f"val_{name}"].iloc[-1], rel=1e-4), name
    best_two = outputs.argsort(axis=1)[:, -2:]
    assert figures["top_2"] == pytest.approx((best_two == validation.targets[:, np.newaxis]).any(axis=1).mean())
    # the accuracy, and training itself, are the same as without
    _, plain_history = train(make_recipe(DENSE, epochs=3))
    np.testing.assert_allclose(history[list(plain_history)], plain_history, rtol=1e-4)


def test_metrics_of_numbers_are_shown_saved_and_scored(tmp_path: Path) -> None:
    recipe = make_recipe(DENSE, metrics=["MeanAbsoluteError", "R2Score"], loss="Huber")
    model, history = train(recipe, NUMBERS, BRIGHTNESS)
    save_model(model, NUMBERS, tmp_path / "net.keras")
    loaded = load_model(tmp_path / "net.keras")
    real, outputs = BRIGHTNESS[60:], predict(loaded, Subset(IMAGES, BRIGHTNESS[60:], np.arange(60, 90)))

    figures = score_by_own_metrics(loaded, real, outputs, NUMBERS)

    assert {"val_mse", "val_mean_absolute_error", "val_r2_score", "mse"} <= set(history)
    errors = outputs[:, 0] - real
    expected = {"mean_absolute_error": np.abs(errors).mean(), "r2_score": 1 - (errors**2).mean() / real.var()}
    assert figures == pytest.approx(expected, rel=1e-4)
    assert history["val_mean_absolute_error"].iloc[-1] == pytest.approx(expected["mean_absolute_error"], rel=1e-4)
    assert history["val_r2_score"].iloc[-1] == pytest.approx(expected["r2_score"], rel=1e-3)


def test_early_stopping_by_a_metric_knows_its_direction(capsys: pytest.CaptureFixture[str]) -> None:
    stopping = {**STOPPING, "monitor": "val_top_2"}
    _, history = train(make_recipe(DENSE, metrics=METRICS[:1], early_stopping=stopping, epochs=30))

    best = int(history["val_top_2"].to_numpy().argmax())
    assert len(history) == best + 3 < 30
    assert f"best val_top_2 in epoch {best + 1}" in capsys.readouterr().err


def test_an_unknown_direction_is_asked_for() -> None:
    changes: dict[str, Any] = {
        "metrics": ["FalsePositives"],
        "early_stopping": {**STOPPING, "monitor": "val_false_positives"},
    }
    with pytest.raises(UserError, match=r"recipes\.net\.early_stopping\.mode: missing: is less or more of val_false_"):
        train(make_recipe(DENSE, **changes))

    changes["early_stopping"]["mode"] = "min"
    _, history = train(make_recipe(DENSE, **changes, epochs=30))
    assert len(history) == history["val_false_positives"].to_numpy().argmin() + 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": {"CategoricalCrossentropy": {"label_smoothing": "much"}}}, "recipes.net.loss: Categorical"),
        (
            {"loss": {"CategoricalCrossentropy": {"smoothing": 0.1}}},
            "recipes.net.loss: CategoricalCrossentropy takes no argument 'smoothing': did you mean 'label_smoothing'?",
        ),
        (
            {"loss": {"SparseCategoricalCrossentropy": {"from_logits": True}}},
            "recipes.net.loss: SparseCategoricalCrossentropy: from_logits follows from the model's head: remove it",
        ),
        (
            {"loss": "CategoricalGeneralizedCrossEntropy", "metrics": ["AUC"]},
            "recipes.net.metrics: one of them takes classes one-hot, which CategoricalGeneralizedCrossEntropy does not",
        ),
        ({"metrics": ["F1Score"]}, "recipes.net.metrics.0: F1Score cannot use its arguments {}: it gives a figure for"),
        (
            {"class_weight": {"briht": 2}},
            "recipes.net.class_weight: no class 'briht': did you mean 'bright'?",
        ),
        (
            {"class_weight": {"bright": 0, "grey": 0, "dark": 0}},
            "recipes.net.class_weight: no class has a weight above 0",
        ),
    ],
)
def test_what_only_keras_or_the_dataset_knows_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        train(make_recipe(DENSE, **changes))

    assert str(caught.value).startswith(f"params.yaml: {message}"), str(caught.value)


def test_class_weights_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    targets = TARGETS[CLASSIFICATION]
    recipe = make_recipe(DENSE, class_weight={"bright": 5, "grey": 0.5})
    _, history = train(recipe)
    _, expected = train_by_keras(make_recipe(DENSE), CLASSES, targets, class_weight={0: 1.0, 1: 0.5, 2: 5.0})

    said = "net: the training loss counts a picture of bright as 5, of grey as 0.5, of any other class as 1"
    assert said in capsys.readouterr().err
    for name in ("loss", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4, err_msg=name)


def test_the_rate_is_lowered_on_a_plateau_as_by_keras() -> None:
    plateau = {"monitor": "val_loss", "factor": 0.3, "patience": 2, "min_lr": 0.001, "min_delta": 0.05, "cooldown": 1}
    _, history = train(make_recipe(DENSE, epochs=16, reduce_lr_on_plateau=plateau))

    class Counted:
        optimizer = keras.optimizers.SGD(0.1)

    callback = keras.callbacks.ReduceLROnPlateau(**plateau)
    callback.set_model(Counted())
    callback.on_train_begin()
    rates = []
    for epoch, row in enumerate(history.drop(columns="learning_rate").to_dict("records")):
        callback.on_epoch_end(epoch, logs := dict(row))
        rates.append(logs["learning_rate"])
    assert history["learning_rate"].tolist() == pytest.approx(rates)
    assert len(set(rates)) > 3


def test_a_lower_rate_is_the_one_that_is_used() -> None:
    # from the second epoch on nothing is learned
    plateau = {"monitor": "val_loss", "factor": 1e-9, "patience": 1, "min_lr": 0, "min_delta": 100}
    _, history = train(make_recipe(DENSE, epochs=5, reduce_lr_on_plateau=plateau))

    assert history["val_loss"].nunique() == 2
    assert history["val_loss"].iloc[1:].nunique() == 1


AVERAGING = {"name": "SGD", "learning_rate": 0.5, "use_ema": True, "ema_momentum": 0.8}


def test_averaged_weights_are_judged_and_kept() -> None:
    recipe = make_recipe(DENSE, optimizer=AVERAGING, epochs=6)
    model, history = train(recipe)
    # the steps themselves are the same without
    plain, plain_history = train(make_recipe(DENSE, optimizer={"name": "SGD", "learning_rate": 0.5}, epochs=6))

    np.testing.assert_allclose(history["loss"], plain_history["loss"], rtol=1e-5)
    assert not np.allclose(history["val_loss"], plain_history["val_loss"], rtol=1e-3)
    assert not np.allclose(model.get_weights()[0], plain.get_weights()[0], rtol=1e-3)
    found = model.evaluate(IMAGES[60:], TARGETS[CLASSIFICATION][60:], verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"].iloc[-1], rel=1e-5)


def test_early_stopping_goes_back_to_the_best_averages() -> None:
    optimizer = {**AVERAGING, "learning_rate": 3.0}
    model, history = train(make_recipe(DENSE, optimizer=optimizer, epochs=60, early_stopping=STOPPING))

    found = model.evaluate(IMAGES[60:], TARGETS[CLASSIFICATION][60:], verbose=0, return_dict=True)
    assert len(history) < 60
    assert found["loss"] == pytest.approx(history["val_loss"].min(), rel=1e-5)


@pytest.mark.parametrize("clip", [{"global_clipnorm": 0.05}, {"clipnorm": 0.05}, {"clipvalue": 0.01}], ids=str)
def test_clipped_gradients_make_small_steps(clip: dict[str, float]) -> None:
    layers = [Layer("Conv2D", {"filters": 3, "kernel_size": 3}), Layer("Flatten", {})]
    rate = 0.1

    def moved(**arguments: float) -> float:
        optimizer = {"name": "SGD", "learning_rate": rate, **arguments}
        recipe = make_recipe(layers, optimizer=optimizer, epochs=1, batch_size=60)
        keras.utils.set_random_seed(3)
        before = build_model(recipe, CLASSES).get_weights()
        after = train(recipe).model.get_weights()
        return float(np.sqrt(sum(((new - old) ** 2).sum() for new, old in zip(after, before, strict=True))))

    ((name, limit),) = clip.items()
    if name == "global_clipnorm":
        assert moved(**clip) == pytest.approx(limit * rate, rel=1e-3)
    assert moved(**clip) < moved() / 3


def constant_losses(loss: Any, info: DatasetInfo, outputs: Sequence[Sequence[float]]) -> list[float]:
    objective = make_objective(make_recipe([], loss=loss), info)
    targets = TARGETS[info.task][:60]
    return [objective.loss_of(targets, np.tile(output, (60, 1))) for output in outputs]


@pytest.mark.parametrize(
    ("loss", "info"),
    [
        ({"CategoricalCrossentropy": {"label_smoothing": 0.3}}, CLASSES),
        ({"CategoricalFocalCrossentropy": {"gamma": 4.0}}, CLASSES),
        ("mse", CLASSES),
        ("mae", CLASSES),
        ("mae", NUMBERS),
        ({"Huber": {"delta": 500.0}}, NUMBERS),
        ("mape", NUMBERS),
    ],
    ids=str,
)
def test_the_trivial_answer_is_judged_by_the_recipe_s_loss(loss: Any, info: DatasetInfo) -> None:
    targets = TARGETS[info.task][:60]
    trivial = find_trivial(info, targets, targets, make_objective(make_recipe([], loss=loss), info))

    if info is CLASSES:
        grid = [(a, b, 1 - a - b) for a in np.linspace(0, 1, 41) for b in np.linspace(0, 1, 41) if a + b <= 1]
        outputs = [list(np.clip(shares, 1e-6, 1)) for shares in grid]
    else:
        outputs = [[number] for number in np.linspace(targets.min(), targets.max(), 200)]
    # nothing that is the same for all pictures has a loss that counts as a gain
    assert min(constant_losses(loss, info, outputs)) > 0.95 * trivial.loss
