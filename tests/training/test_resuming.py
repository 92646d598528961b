"""Trainings that are stopped: they go on from their last state, to the same end as without the stops."""

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dvclive import Live

from image_recipes.core.dataset import Subset
from image_recipes.core.errors import UserError
from image_recipes.models.backend import keras
from image_recipes.models.recipe import Layer, Recipe
from image_recipes.models.saving import save_model
from image_recipes.training import states
from image_recipes.training.fit import TrainedModel, train_recipe
from image_recipes.training.progress import LiveLog
from image_recipes.training.states import MOST_KEPT, SECONDS_VARIABLE, forget_states, states_folder
from recipes import make_recipe, number_info, save_trained

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 8, 8, 1), dtype=np.uint8)
NUMBERS = (IMAGES[:, :4].mean(axis=(1, 2, 3)) / 255).astype(np.float32)
INFO = number_info([8, 8, 1])
DENSE = [Layer("Flatten", {}), Layer("Dense", {"units": 4, "activation": "relu"}), Layer("Dropout", {"rate": 0.3})]
CONVOLUTION = [
    Layer("Conv2D", {"filters": 4, "kernel_size": 3}),
    Layer("BatchNormalization", {}),
    Layer("GlobalAveragePooling2D", {}),
    Layer("GaussianNoise", {"stddev": 0.1}),
]
STOPPING: dict[str, Any] = {"monitor": "val_loss", "patience": 3, "restore_best_weights": True}
RECIPES: dict[str, Recipe] = {
    "chance in every step": make_recipe(
        CONVOLUTION,
        epochs=6,
        augmentation=[{"RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2}}],
        optimizer={"name": "Adam", "learning_rate": 0.01},
    ),
    "averages, stopped early": make_recipe(
        DENSE,
        epochs=12,
        optimizer={"name": "SGD", "learning_rate": 0.3, "momentum": 0.9, "use_ema": True, "ema_momentum": 0.9},
        early_stopping={**STOPPING, "patience": 2},
    ),
    "a rate that is lowered": make_recipe(
        DENSE,
        epochs=8,
        standardize_targets=True,
        optimizer={"name": "RMSprop", "learning_rate": 0.5},
        reduce_lr_on_plateau={"monitor": "val_loss", "patience": 1, "factor": 0.3, "min_lr": 0.0001},
        early_stopping={**STOPPING, "patience": 5},
    ),
    "two phases": make_recipe(
        [Layer("Trained", {}), *DENSE[1:]],
        epochs=4,
        start_from="before.keras",
        early_stopping=STOPPING,
        fine_tuning={"epochs": 3, "optimizer": {"name": "Adam", "learning_rate": 0.001}},
    ),
}


class StoppedError(Exception):
    """What a test stops a training by."""


class StopAt(keras.callbacks.Callback):
    """Stops a training when an epoch begins, counted from 0 over all phases; or when all are done."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch == self.epoch:
            raise StoppedError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    # TensorFlow takes the number of threads before its first operation only
    monkeypatch.setattr("image_recipes.training.fit.share_cores", lambda parts: None)
    # after every epoch
    monkeypatch.setenv(SECONDS_VARIABLE, "0")
    monkeypatch.setattr(states, "LARGEST_SHARE", np.inf)
    save_trained(tmp_path / "before.keras")
    yield
    keras.backend.clear_session()


def train(recipe: Recipe, *callbacks: keras.callbacks.Callback, images: np.ndarray = IMAGES) -> TrainedModel:
    """Train on 60 pictures and judge by 30, as in a process of its own."""
    keras.backend.clear_session()
    parts = np.split(np.arange(len(images)), [60])
    splits = {
        name: Subset(images, NUMBERS[part], part) for name, part in zip(("train", "validation"), parts, strict=True)
    }
    return train_recipe(recipe, INFO, splits, 3, callbacks, states_folder(recipe, INFO, 3))


def stop_at(recipe: Recipe, epoch: int) -> None:
    with pytest.raises(StoppedError):
        train(recipe, StopAt(epoch))


def save(trained: TrainedModel, name: str) -> tuple[bytes, str]:
    save_model(trained.model, INFO, Path(name))
    return Path(name).read_bytes(), trained.history.to_csv()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_training_that_was_stopped_five_times_ends_in_the_same_bytes(
    recipe: Recipe, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = save(train(recipe), "whole.keras")
    forget_states(states_folder(recipe, INFO, 3))
    epochs = len(expected[1].splitlines()) - 1
    assert epochs > 5

    for epoch in range(1, 6):
        stop_at(recipe, epoch)
        capsys.readouterr()
    found = save(train(recipe), "resumed.keras")

    assert "net: was stopped, and goes on after 5 of " in capsys.readouterr().err
    assert found[1] == expected[1]
    assert found[0] == expected[0]


def test_what_comes_after_the_last_epoch_is_not_trained_for_again(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = RECIPES["two phases"]
    expected = save(train(recipe), "whole.keras")

    # stopped while it is saved, say
    assert save(train(recipe, StopAt(0)), "resumed.keras") == expected
    assert "goes on after 7 of 7 epochs" in capsys.readouterr().err


def test_other_settings_or_pictures_start_anew(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = RECIPES["chance in every step"]
    stop_at(recipe, 3)

    stop_at(recipe.with_settings(epochs=7), 1)
    assert "other settings or versions: training starts anew" in capsys.readouterr().err
    with pytest.raises(StoppedError):
        train(recipe, StopAt(1), images=255 - IMAGES)
    assert "goes on" not in capsys.readouterr().err

    # and forgets nothing of the first
    stop_at(recipe, 4)
    assert "goes on after 3 of 6 epochs" in capsys.readouterr().err


@pytest.mark.parametrize("damage", [b"", b"no state", None], ids=["empty", "text", "cut off"])
def test_a_damaged_state_is_said_and_left(damage: bytes | None, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = RECIPES["chance in every step"]
    stop_at(recipe, 3)
    (file,) = states_folder(recipe, INFO, 3).iterdir()
    file.write_bytes(file.read_bytes()[:-100] if damage is None else damage)
    capsys.readouterr()

    stop_at(recipe, 2)
    assert "cannot be read" in (told := capsys.readouterr().err)
    assert "training starts anew" in told
    stop_at(recipe, 3)
    assert "goes on after 2 of 6 epochs" in capsys.readouterr().err


def test_a_full_disk_costs_the_state_and_not_the_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(*args: Any, **arrays: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", fill)
    train(RECIPES["chance in every step"])

    assert "its state could not be kept (No space left on device)" in capsys.readouterr().err
    assert not list(Path("data/unfinished").rglob("*.*"))


def test_states_are_kept_now_and_then_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECONDS_VARIABLE)
    train(RECIPES["chance in every step"])

    assert not Path("data/unfinished").exists()


def test_old_states_go() -> None:
    folder = states_folder(RECIPES["two phases"], INFO, 3)
    others = [folder.with_name(f"other{number}") for number in range(MOST_KEPT + 3)]
    for days, other in enumerate([folder, *others]):
        other.mkdir(parents=True)
        os.utime(other, (time.time() - 86_500 * days,) * 2)
    # which may still run
    (recent := folder.with_name("recent")).mkdir()

    forget_states(folder)

    assert {*folder.parent.iterdir()} == {recent, *others[: MOST_KEPT - 1]}


def test_weights_that_numpy_does_not_know_are_kept_too() -> None:
    layers = [DENSE[0], Layer("Dense", {"units": 4, "dtype": "bfloat16"})]
    recipe = make_recipe(layers, epochs=4, optimizer={"name": "Adam", "learning_rate": 0.01})
    expected = save(train(recipe), "whole.keras")
    forget_states(states_folder(recipe, INFO, 3))

    stop_at(recipe, 2)

    assert save(train(recipe), "resumed.keras") == expected


def test_a_state_that_is_not_the_model_s_is_refused_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = RECIPES["chance in every step"]
    stop_at(recipe, 3)
    (file,) = states_folder(recipe, INFO, 3).iterdir()
    with np.load(file) as arrays:
        np.savez(file, **{**arrays, "model/0": np.zeros(7, np.float32)})

    with pytest.raises(UserError, match=r"is not its own .*: forget it by `rm -r data/unfinished`"):
        train(recipe)


def test_an_experiment_in_a_temporary_folder_goes_on_in_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = RECIPES["chance in every step"]
    for name, stop in (("tmp1", 2), ("tmp2", 3)):
        folder = tmp_path / ".dvc/tmp/exps" / name / "project"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        stop_at(recipe, stop)

    assert "goes on after 2 of 6 epochs" in capsys.readouterr().err
    assert (tmp_path / "data/unfinished/net").is_dir()


def test_what_is_logged_for_others_has_all_epochs() -> None:
    recipe = RECIPES["averages, stopped early"]
    for stop in (4, 99):
        with Live("live", dvcyaml=None, save_dvc_exp=False) as live, contextlib.suppress(StoppedError):
            history = train(recipe, LiveLog(live=live), StopAt(stop)).history

    steps = Path("live/plots/metrics/train/loss.tsv").read_text("utf-8").splitlines()[1:]
    assert [int(line.split("\t")[0]) for line in steps] == list(range(len(history)))

    # stopped after its end
    with Live("again", dvcyaml=None, save_dvc_exp=False) as live:
        train(recipe, LiveLog(live=live))
    for file in ("plots/metrics/train/loss.tsv", "metrics.json"):
        assert [row.split("\t")[-1] for row in Path("again", file).read_text("utf-8").splitlines()] == [
            row.split("\t")[-1] for row in Path("live", file).read_text("utf-8").splitlines()
        ]
