"""Whether training learns anything, said while it runs, with the usual cause if it does not."""

import re
from typing import Any

import numpy as np
import pytest

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.recipe import Layer
from image_recipes.training.fit import train_recipe
from image_recipes.training.trivial import find_trivial
from image_recipes.training.watch import Watched, find_cause
from recipes import class_info, make_recipe, number_info

IMAGES = np.random.default_rng(0).integers(0, 256, (120, 8, 8, 1), dtype=np.uint8)
BRIGHTNESS = IMAGES[:, :4].mean(axis=(1, 2, 3))
BRIGHT = (np.median(BRIGHTNESS) < BRIGHTNESS).astype(np.int64)
SHUFFLED = np.random.default_rng(1).permutation(BRIGHT)
RARE = (np.quantile(BRIGHTNESS, 0.9) < BRIGHTNESS).astype(np.int64)
CLASSES, NUMBERS = class_info([8, 8, 1]), number_info([8, 8, 1])
DENSE = [Layer("Flatten", {}), Layer("Dense", {"units": 8, "activation": "relu"})]
WIDE = [Layer("Flatten", {}), Layer("Dense", {"units": 256, "activation": "relu"})]
# whose units answer 0 to whatever they see
DEAD = [
    Layer("Flatten", {}),
    Layer("Dense", {"units": 8, "activation": "relu", "bias_initializer": keras.initializers.Constant(-100)}),
]


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # TensorFlow takes the number of threads before its first operation only
    monkeypatch.setattr("image_recipes.training.fit.share_cores", lambda parts: None)


def say(
    capsys: pytest.CaptureFixture[str], layers: list[Layer], info: DatasetInfo, targets: np.ndarray, **changes: Any
) -> str:
    """Train on 80 pictures, judge by 40, and return what was said."""
    parts = np.split(np.arange(len(IMAGES)), [80])
    splits = {
        name: Subset(IMAGES, targets[part], part) for name, part in zip(("train", "validation"), parts, strict=True)
    }
    train_recipe(make_recipe(layers, **{"epochs": 12, **changes}), info, splits, seed=3)
    return capsys.readouterr().err


def adam(rate: float) -> dict[str, Any]:
    return {"name": "Adam", "learning_rate": rate}


CASES: dict[str, tuple[list[Layer], DatasetInfo, np.ndarray, dict[str, Any], str]] = {
    "labels that do not fit": (
        WIDE,
        CLASSES,
        SHUFFLED,
        {"optimizer": adam(0.01), "epochs": 40},
        "learns the training pictures by heart",
    ),
    "one class": (DENSE, CLASSES, RARE, {"optimizer": adam(1e-5)}, "9.% of the training pictures have one class"),
    "numbers of another scale": (
        DENSE,
        NUMBERS,
        (1e6 + 1e4 * BRIGHTNESS).astype(np.float32),
        {"optimizer": adam(0.001)},
        "set standardize_targets: true",
    ),
    "too low a rate": (DENSE, CLASSES, BRIGHT, {"optimizer": adam(1e-7)}, "falls, but slowly"),
    "too high a rate": (
        DENSE,
        CLASSES,
        SHUFFLED,
        {"optimizer": {"name": "SGD", "learning_rate": 3.0, "momentum": 0.9}},
        "lower (optimizer.learning_rate|the learning rate)",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_usual_cause_is_named(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    layers, info, targets, changes, cause = CASES[case]

    said = say(capsys, layers, info, targets, **changes)

    (line,) = [line for line in said.splitlines() if line.startswith("warning:")]
    assert re.search(cause, line)
    assert line.startswith("warning: net: after 10 epochs no better than always answering ")


def test_dead_units_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert "100% of the units of layer dense answer 0" in say(capsys, DEAD, CLASSES, BRIGHT)


@pytest.mark.parametrize(("momentum", "epochs", "lags"), [(0.99, 10, True), (0.9, 10, False), (0.9, 3, False)])
def test_normalization_that_lags_is_named(momentum: float, epochs: int, lags: bool) -> None:
    layers = [Layer("BatchNormalization", {"momentum": momentum}), *DENSE]
    recipe = make_recipe(layers)
    training = Subset(IMAGES, BRIGHT[:80], np.arange(80))
    # an epoch is 5 steps
    logs = [{"loss": 0.3, "accuracy": 0.95, "val_loss": 3.0, "val_accuracy": 0.5}] * epochs
    trivial = find_trivial(CLASSES, BRIGHT[:80], BRIGHT[80:])

    cause = find_cause(Watched(recipe, CLASSES.task, build_model(recipe, CLASSES), training, trivial, logs))

    assert ("after 50 steps BatchNormalization still goes by" in cause) == lags


def test_nothing_is_said_of_what_learns(capsys: pytest.CaptureFixture[str]) -> None:
    said = say(capsys, DENSE, CLASSES, BRIGHT, optimizer=adam(0.01), epochs=30)

    assert "warning" not in said
    # before the first epoch: what is to beat
    first, *_ = said.splitlines()
    assert first.startswith("net: learns from 80 pictures, judged by 40; always answering ")
    assert "val_accuracy=0." in first


def test_a_short_training_is_judged_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    said = say(capsys, DENSE, CLASSES, SHUFFLED, optimizer=adam(1e-6), epochs=2)

    assert "warning: net: after 2 epochs no better than always answering" in said


def test_a_training_that_stops_early_is_judged_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    stopping = {"monitor": "val_loss", "patience": 1, "restore_best_weights": True}

    said = say(capsys, DENSE, CLASSES, SHUFFLED, optimizer=adam(0.3), epochs=40, early_stopping=stopping)

    (line,) = [line for line in said.splitlines() if line.startswith("warning:")]
    assert re.search("after [2-9] epochs no better than always answering", line)


def test_a_rise_of_the_last_digits_says_nothing_of_the_rate() -> None:
    recipe, training = make_recipe(DENSE), Subset(IMAGES, BRIGHT[:80], np.arange(80))
    logs = [{"loss": loss, "accuracy": 0.5, "val_loss": 0.7, "val_accuracy": 0.5} for loss in (0.6931, 0.6932, 0.6933)]
    trivial = find_trivial(CLASSES, BRIGHT[:80], BRIGHT[80:])
    watched = Watched(recipe, CLASSES.task, build_model(recipe, CLASSES), training, trivial, logs)

    assert "goes up and down" not in find_cause(watched)


def test_the_trivial_answer_is_chosen_by_training_pictures() -> None:
    train, validation = np.array([0, 1, 1]), np.array([0, 0, 0, 1])

    of_classes = find_trivial(CLASSES, train, validation)
    of_numbers = find_trivial(NUMBERS, np.array([1.0, 3.0]), np.array([2.0, 4.0]))

    assert (of_classes.words, of_classes.figure) == ("always answering bright", 0.25)
    assert (of_numbers.words, of_numbers.figure) == ("always answering the mean, 2 g", 2.0)


def test_it_waits_while_the_rate_warms_up(capsys: pytest.CaptureFixture[str]) -> None:
    rate = {"name": "CosineDecay", "initial_learning_rate": 1e-8, "warmup_target": 1e-7, "warmup_steps": 0.5}

    said = say(capsys, DENSE, CLASSES, BRIGHT, epochs=24, optimizer={"name": "Adam", "learning_rate": rate})

    assert "after 22 epochs no better than" in said
