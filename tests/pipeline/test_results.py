"""What the pipeline leaves: the same bytes by another process, and metrics that are those of the predictions."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from image_recipes.models.feeding import MEMORY_VARIABLE
from image_recipes.models.reliability import Reliability, scale_logits
from image_recipes.models.saving import load_reliability
from projects import Project

COVERAGE = ("coverage", "coverage_low", "coverage_high", "unfamiliar")


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
    saved = saved[saved["split"] == "test"]
    reliability = load_reliability(finished.root / "models/tiny_class.keras")
    assert reliability is not None
    shown = scale_logits(probabilities[np.newaxis], reliability.temperature)[0]
    np.testing.assert_allclose(shown, saved.filter(like="probability_").iloc[0], atol=1e-6)
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def own_chances(rows: pd.DataFrame, reliability: Reliability) -> np.ndarray:
    """Return what the network itself gave the real classes of rows of predictions."""
    own = scale_logits(rows.filter(like="probability_").to_numpy(), 1 / reliability.temperature)
    return own[np.arange(len(rows)), rows["real"].astype(int)]


def test_metrics_are_those_of_the_predictions(finished: Project) -> None:
    metrics = json.loads((finished.root / "metrics/mnist/tiny_class.json").read_text("utf-8"))
    history = pd.read_csv(finished.root / "plots/history/mnist/tiny_class.csv")
    predictions = pd.read_csv(finished.root / "data/predictions/mnist/tiny_class.csv")

    reliability = load_reliability(finished.root / "models/tiny_class.keras")
    assert reliability is not None
    assert predictions.groupby("split").size().to_dict() == {"train": 200, "validation": 60, "test": 60}
    for split, prefix in [("train", "train"), ("validation", "val"), ("test", "test")]:
        rows = predictions[predictions["split"] == split]
        assert metrics[f"{prefix}_accuracy"] == pytest.approx((rows["real"] == rows["predicted"]).mean(), rel=1e-6)
        # the loss is that of the network's own probabilities, before their calibration
        assert metrics[f"{prefix}_loss"] == pytest.approx(-np.log(own_chances(rows, reliability)).mean(), rel=1e-4)
    # and those of training itself
    assert metrics["val_accuracy"] == pytest.approx(history["val_accuracy"].iloc[-1], rel=1e-6)
    assert metrics["val_loss"] == pytest.approx(history["val_loss"].iloc[-1], rel=1e-5)

    metrics = json.loads((finished.root / "metrics/dots/tiny_number.json").read_text("utf-8"))
    history = pd.read_csv(finished.root / "plots/history/dots/tiny_number.csv")
    predictions = pd.read_csv(finished.root / "data/predictions/dots/tiny_number.csv")
    for split, prefix in [("train", "train"), ("validation", "val"), ("test", "test")]:
        rows = predictions[predictions["split"] == split]
        errors = rows["predicted"] - rows["real"]
        variance = ((rows["real"] - rows["real"].mean()) ** 2).mean()
        assert metrics[f"{prefix}_mse"] == pytest.approx((errors**2).mean(), rel=1e-5)
        assert metrics[f"{prefix}_mae"] == pytest.approx(errors.abs().mean(), rel=1e-5)
        assert metrics[f"{prefix}_r2"] == pytest.approx(1 - (errors**2).mean() / variance, rel=1e-5)
    assert metrics["val_mse"] == pytest.approx(history["val_loss"].iloc[-1], rel=1e-5)


def test_the_same_task_has_the_same_keys(finished: Project) -> None:
    def keys(file: str) -> set[str]:
        return set(json.loads((finished.root / file).read_text("utf-8")))

    splits = ["train", "val", "test"]
    assert keys("metrics/mnist/tiny_class.json") == {"parameters"} | {
        f"{s}_{m}" for s in splits for m in ["accuracy", "loss"]
    } | {f"test_{m}" for m in ["accuracy_low", "accuracy_high", "macro_f1", "calibration_error", "set_size", *COVERAGE]}
    assert keys("metrics/dots/tiny_number.json") == {"parameters"} | {
        f"{s}_{m}" for s in splits for m in ["mse", "mae", "r2"]
    } | {f"test_{m}{end}" for m in ["mse", "rmse", "mae", "r2"] for end in ["", "_low", "_high"]} | {
        f"test_{m}" for m in ["interval_width", *COVERAGE]
    }
