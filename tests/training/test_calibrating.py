"""What validation pictures say of how far to trust a model, and that it travels in the model's file."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from image_recipes.core.dataset import Subset
from image_recipes.evaluation.inference import predict, predict_and_judge
from image_recipes.models.build import build_model
from image_recipes.models.embedding import add_embedding
from image_recipes.models.recipe import Layer
from image_recipes.models.reliability import scale_logits
from image_recipes.models.saving import load_model, load_reliability, save_model
from image_recipes.training.calibrating import assess_reliability, fit_familiarity, fit_temperature, limit_familiarity
from recipes import class_info, make_recipe, number_info

LAYERS = [Layer("Flatten", {}), Layer("Dense", {"units": 12, "activation": "relu"})]


def subset(count: int, classes: int | None = None) -> Subset:
    pictures = np.random.default_rng(count).integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
    targets = np.arange(count) % classes if classes else pictures.mean(axis=(1, 2, 3)).astype(np.float32)
    return Subset(pictures, targets, np.arange(count))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found(temperature: float) -> None:
    rng = np.random.default_rng(5)
    true = scale_logits(rng.dirichlet([1, 1, 1], 20_000).astype(np.float32), 1.0)
    targets = (rng.random((20_000, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(0, 2)

    assert fit_temperature(scale_logits(true, 1 / temperature), targets) == pytest.approx(temperature, rel=0.05)


def test_a_few_pictures_all_right_do_not_make_it_certain() -> None:
    outputs = np.full((5, 2), [0.8, 0.2], np.float32)

    temperature = fit_temperature(outputs, np.zeros(5, int))

    assert 0.4 < temperature < 1
    assert scale_logits(outputs, temperature)[0, 0] < 0.96


@pytest.mark.parametrize("width", [300, 3_000])
def test_new_pictures_of_the_same_kind_are_familiar_and_others_are_not(width: int) -> None:
    rng = np.random.default_rng(6)
    # more directions than pictures, as a backbone's embedding of few pictures has
    basis = rng.normal(size=(10, width))
    known, fresh, new = (rng.normal(size=(n, 10)) @ basis + rng.normal(size=(n, width)) for n in (200, 120, 2_000))

    familiarity = fit_familiarity(known)
    familiarity = limit_familiarity(familiarity, familiarity.distances(fresh))

    assert (familiarity.distances(new) > familiarity.limit).mean() < 0.04
    assert (familiarity.distances(rng.normal(0, 4, (50, width))) > familiarity.limit).all()
    assert (familiarity.distances(3 * new[:50]) > familiarity.limit).mean() > 0.9


@pytest.mark.parametrize("classes", [3, None])
def test_it_travels_in_the_model_s_file(tmp_path: Path, classes: int | None) -> None:
    info = class_info([8, 8, 1], ["a", "b", "c"]) if classes else number_info([8, 8, 1])
    model = build_model(make_recipe(LAYERS), info)
    training, validation = subset(90, classes), subset(40, classes)
    reliability = assess_reliability(model, info, training, validation, seed=0)
    for name in ("first", "second"):
        save_model(model, info, tmp_path / f"{name}.keras", reliability)

    loaded = load_reliability(tmp_path / "first.keras")

    assert (tmp_path / "first.keras").read_bytes() == (tmp_path / "second.keras").read_bytes()
    assert loaded is not None
    opened = load_model(tmp_path / "first.keras")
    np.testing.assert_array_equal(predict(opened, validation), predict(model, validation))
    for kept in (reliability, loaded):
        outputs, judgement, features = predict_and_judge(add_embedding(model), kept, validation, info.task)
        assert judgement.region is not None
        assert judgement.unfamiliar.sum() == 0
        np.testing.assert_array_equal(outputs, predict(model, validation))
        assert features.shape == (40, 12)
    assert loaded.temperature == reliability.temperature
    np.testing.assert_array_equal(loaded.scores, reliability.scores)


def test_a_file_of_before_says_nothing(tmp_path: Path) -> None:
    info = number_info([8, 8, 1])
    save_model(build_model(make_recipe(LAYERS), info), info, tmp_path / "old.keras")

    assert load_reliability(tmp_path / "old.keras") is None
    with zipfile.ZipFile(tmp_path / "old.keras") as archive:
        assert not [name for name in archive.namelist() if "reliability" in name]
