"""Training: reproducible to the byte, inside Keras's `fit`, with progress a person can read."""

import json
import os
import pty
import re
import subprocess
import sys
import termios
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Project

from image_recipes import pipelines, progress
from image_recipes.archives import load_model, save_model
from image_recipes.backend import keras
from image_recipes.datasets import DatasetInfo, Subset
from image_recipes.errors import UserError
from image_recipes.execution import choose_execution
from image_recipes.histories import join_history
from image_recipes.models import build_model
from image_recipes.params import Layer
from image_recipes.pipelines import Feed, evaluation_batches, evaluation_feed, training_feed
from image_recipes.scoring import predict, score
from image_recipes.training import train

INFO = DatasetInfo("regression", None, "sum", [4, 4, 1], {}, "")
IMAGES = np.random.default_rng(0).integers(0, 256, (70, 4, 4, 1), dtype=np.uint8)
TARGETS = (IMAGES.mean(axis=(1, 2, 3)) / 255).astype(np.float32)
TRAINING = Subset(IMAGES, TARGETS[:50], np.arange(50))
VALIDATION = Subset(IMAGES, TARGETS[50:], np.arange(50, 70))
LAYERS = (Layer("Flatten", {}), Layer("Dense", {"units": 8, "activation": "relu"}))


def trained(live_dir: Path, rate: float = 0.05, epochs: int = 4, batch_size: int = 16) -> keras.Model:
    keras.utils.set_random_seed(3)
    model = build_model(LAYERS, INFO, "float32", where="architectures.net", name="net")
    train(
        model,
        keras.optimizers.SGD(rate),
        TRAINING,
        VALIDATION,
        task="regression",
        execution=choose_execution(LAYERS, "auto"),
        epochs=epochs,
        batch_size=batch_size,
        seed=3,
        live_dir=live_dir,
    )
    return model


def executions(feed: Feed, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the pictures and targets of the first executions, in the order in which steps take them."""
    taken = []
    for element in feed.executions.take(count):
        images, targets, order = feed.unpack(*element)
        taken.append((images.numpy()[order.numpy()], targets.numpy()[order.numpy()]))
    return taken


@pytest.mark.parametrize("resident", [True, False])
def test_every_epoch_sees_every_picture_once_in_another_order(resident: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines, "EXECUTION_BYTES", 40)  # two batches of one byte a picture
    # the subset lies in the file in an order of its own
    indices = np.arange(50)[::-1]
    feed = training_feed(Subset(np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1), indices, indices), 16, 9, resident)

    images, targets = zip(*executions(feed, 6), strict=True)

    assert feed.per_epoch == 2
    assert [len(batches) for batches in images] == [32, 18] * 3
    np.testing.assert_array_equal(np.concatenate(images).ravel(), np.concatenate(targets))
    epochs = np.concatenate(targets).reshape(3, 50)
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_the_seed_decides_the_order() -> None:
    def order(seed: int) -> list[int]:
        feed = training_feed(Subset(IMAGES, np.arange(70), np.arange(70)), 16, seed, resident=True)
        return executions(feed, 1)[0][1].tolist()

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert sorted(order(2**32 - 1)) == list(range(70))


def test_evaluation_goes_through_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = Subset(IMAGES, np.arange(60), np.arange(10, 70))
    monkeypatch.setattr(pipelines, "EVALUATION_BYTES", 32 * 16)
    monkeypatch.setattr(pipelines, "EXECUTION_BYTES", 32 * 16)

    passes = [executions(evaluation_feed(pictures, 25, resident), 9) for resident in (True, False)]
    passes.append([(x.numpy(), y.numpy()) for x, y in evaluation_batches(pictures)])

    assert [[len(targets) for _, targets in done] for done in passes] == [[25, 25, 10], [25, 25, 10], [32, 28]]
    for done in passes:
        np.testing.assert_array_equal(np.concatenate([images for images, _ in done]), IMAGES[10:])
        np.testing.assert_array_equal(np.concatenate([targets for _, targets in done]), np.arange(60))


def test_the_history_ends_where_the_model_stands(tmp_path: Path) -> None:
    model = trained(tmp_path)
    history = join_history(tmp_path)

    assert history.columns.tolist() == ["epoch", "loss", "val_loss"]
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    # the last epoch's weights are the model: its validation score is the history's last
    scores = score(model, "regression", VALIDATION)
    assert scores["mse"] == pytest.approx(history["val_loss"].iloc[-1], rel=1e-5)


def test_epochs_faster_than_summaries_are_all_in_the_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    histories = []
    for seconds in (0, 10**9):
        monkeypatch.setattr(progress, "SECONDS_BETWEEN_SUMMARIES", seconds)
        trained(tmp_path / str(seconds), epochs=5)
        histories.append(join_history(tmp_path / str(seconds)))
        # which DVCLive writes at the end, and live views read
        summary = json.loads((tmp_path / str(seconds) / "metrics.json").read_text("utf-8"))
        assert summary["step"] == 4
        assert summary["eval"]["loss"] == pytest.approx(histories[-1]["val_loss"].iloc[-1])

    assert histories[1]["epoch"].tolist() == [1, 2, 3, 4, 5]
    pd.testing.assert_frame_equal(histories[0], histories[1])


def test_a_loss_is_exact_where_a_probability_is_tiny() -> None:
    # Keras's metric of the same name cuts probabilities off at 1e-7, its loss does not
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, activation="softmax", use_bias=False)])
    model.compile(loss="sparse_categorical_crossentropy")
    model.set_weights([np.array([[30.0, 0.0]], np.float32)])
    pictures = Subset(np.ones((4, 1), np.uint8), np.array([1, 1, 1, 0]), np.arange(4))

    scores = score(model, "classification", pictures)

    assert scores == {"accuracy": 0.25, "loss": pytest.approx(22.5)}
    assert predict(model, pictures).shape == (4, 2)


def test_training_equals_plain_keras(tmp_path: Path) -> None:
    # the same steps by Keras's own loop on batches in memory
    model = trained(tmp_path, epochs=2)
    keras.utils.set_random_seed(3)
    plain = build_model(LAYERS, INFO, "float32", where="architectures.net", name="plain")
    plain.compile(keras.optimizers.SGD(0.05), "mse")
    for x, y in executions(training_feed(TRAINING, 16, 3, resident=True), 2):
        for start in range(0, 50, 16):
            plain.train_on_batch(x[start : start + 16], y[start : start + 16])

    for ours, theirs in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_an_epoch_of_several_executions_takes_no_step_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(tmp_path / "whole", epochs=3).get_weights()
    monkeypatch.setattr(pipelines, "MAX_STEPS_PER_EXECUTION", 3)  # of an epoch's 4 steps

    model = trained(tmp_path / "parts", epochs=3)

    assert int(model.optimizer.iterations) == 3 * 4
    for ours, theirs in zip(model.get_weights(), whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_validation_loss_that_diverges_last_is_named(tmp_path: Path) -> None:
    # the loss of the only step is taken before that step destroys the weights
    with pytest.raises(UserError, match="the loss is not finite in epoch 1"):
        trained(tmp_path, rate=1e35, epochs=1, batch_size=50)


def test_a_diverging_loss_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"^params\.yaml: recipes\.net: the loss is not finite in epoch \d: lower optimizer"
    ):
        trained(tmp_path, rate=1e30)


def test_a_saved_model_is_canonical(tmp_path: Path) -> None:
    model = trained(tmp_path / "live")
    save_model(model, INFO, tmp_path / "first.keras")
    time.sleep(2.1)  # zip files hold times in steps of two seconds
    save_model(model, INFO, tmp_path / "second.keras")

    assert (tmp_path / "first.keras").read_bytes() == (tmp_path / "second.keras").read_bytes()
    with zipfile.ZipFile(tmp_path / "first.keras") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        compiled = json.loads(archive.read("config.json"))["compile_config"]
    assert compiled["steps_per_execution"] == 1


def test_shared_layers_stay_shared(tmp_path: Path) -> None:
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(4, activation=keras.layers.ReLU())
    model = keras.Model(inputs, shared(shared(inputs)))
    save_model(model, INFO, tmp_path / "shared.keras")

    loaded = load_model(tmp_path / "shared.keras")

    assert loaded.count_params() == model.count_params() == 20
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.slow
def test_two_processes_give_equal_bytes(finished: Project, playground: Project) -> None:
    for recipe, dataset in [("tiny_class", "mnist"), ("tiny_number", "dots")]:
        files = [
            f"models/{recipe}.keras",
            f"models/{recipe}.txt",
            f"metrics/{dataset}/{recipe}.json",
            f"plots/history/{dataset}/{recipe}.csv",
            f"data/predictions/{dataset}/{recipe}.csv",
        ]
        for file in files:
            (playground.root / file).unlink()
        playground.run("python", "-m", "stages.train", recipe)
        playground.run("python", "-m", "stages.evaluate", recipe)
        for file in files:
            assert (playground.root / file).read_bytes() == (finished.root / file).read_bytes(), file


@pytest.mark.slow
def test_a_model_opens_without_the_package(finished: Project, tmp_path: Path) -> None:
    program = f"""
import os; os.environ["KERAS_BACKEND"] = "tensorflow"
import sys, keras, numpy
model = keras.saving.load_model({str(finished.root / "models/tiny_class.keras")!r})
picture = numpy.load({str(finished.root / "data/prepared/mnist/images.npy")!r})[60000:60001]
assert not any(name.startswith("image_recipes") for name in sys.modules)
print(*model.predict(picture, verbose=0)[0])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    probabilities = np.array(done.stdout.split(), float)
    saved = pd.read_csv(finished.root / "data/predictions/mnist/tiny_class.csv")
    np.testing.assert_allclose(probabilities, saved.filter(like="probability_").iloc[0], atol=1e-6)
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_metrics_are_those_of_the_predictions(finished: Project) -> None:
    metrics = json.loads((finished.root / "metrics/mnist/tiny_class.json").read_text("utf-8"))
    history = pd.read_csv(finished.root / "plots/history/mnist/tiny_class.csv")
    predictions = pd.read_csv(finished.root / "data/predictions/mnist/tiny_class.csv")

    assert metrics["test_accuracy"] == pytest.approx((predictions["real"] == predictions["predicted"]).mean())
    real = predictions.apply(lambda row: row[f"probability_{row['real']:.0f}"], axis=1)
    assert metrics["test_loss"] == pytest.approx(-np.log(real).mean(), rel=1e-5)
    assert metrics["val_accuracy"] == history["val_accuracy"].iloc[-1]
    assert metrics["val_loss"] == pytest.approx(history["val_loss"].iloc[-1], rel=1e-5)

    metrics = json.loads((finished.root / "metrics/dots/tiny_number.json").read_text("utf-8"))
    predictions = pd.read_csv(finished.root / "data/predictions/dots/tiny_number.csv")
    errors = predictions["predicted"] - predictions["real"]
    variance = ((predictions["real"] - predictions["real"].mean()) ** 2).mean()
    assert metrics["test_mse"] == pytest.approx((errors**2).mean(), rel=1e-5)
    assert metrics["test_mae"] == pytest.approx(errors.abs().mean(), rel=1e-5)
    assert metrics["test_r2"] == pytest.approx(1 - (errors**2).mean() / variance, rel=1e-5)


def test_the_same_task_has_the_same_keys(finished: Project) -> None:
    def keys(file: str) -> set[str]:
        return set(json.loads((finished.root / file).read_text("utf-8")))

    splits = ["train", "val", "test"]
    assert keys("metrics/mnist/tiny_class.json") == {"parameters"} | {
        f"{s}_{m}" for s in splits for m in ["accuracy", "loss"]
    } | {f"test_{m}" for m in ["accuracy_low", "accuracy_high", "macro_f1", "calibration_error"]}
    assert keys("metrics/dots/tiny_number.json") == {"parameters"} | {
        f"{s}_{m}" for s in splits for m in ["mse", "mae", "r2"]
    } | {f"test_{m}{end}" for m in ["mse", "rmse", "mae", "r2"] for end in ["", "_low", "_high"]}


@pytest.mark.slow
def test_a_log_file_gets_a_line(playground: Project) -> None:
    log = playground.run("python", "-m", "stages.train", "tiny_number").stderr

    line = r"tiny_number: epoch 3/3, val_loss=[\d.e+]+, [\d.]+ s/epoch, 00:00 left"
    assert re.fullmatch(line, log.strip())


@pytest.mark.slow
def test_a_terminal_gets_a_bar(playground: Project) -> None:
    terminal, child = pty.openpty()
    termios.tcsetwinsize(child, (24, 80))
    with subprocess.Popen(
        [sys.executable, "-m", "stages.train", "tiny_number"], cwd=playground.root, stdout=child, stderr=child
    ) as process:
        os.close(child)
        shown = b""
        while chunk := _read(terminal):
            shown += chunk
    text = shown.decode()

    assert process.returncode == 0, text
    assert "tiny_number: 100%" in text
    assert "3/3" in text
    assert re.search(r"val_loss=[\d.]+", text)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way to say that the other end is closed
        return b""
