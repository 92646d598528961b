"""Model files: equal models give equal bytes, they open as they were, and none runs code."""

import io
import resource
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzing import damaged, loaded_or_refused, temporary_file
from image_recipes.core import loading
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.recipe import Layer
from image_recipes.models.reliability import Familiarity, Reliability
from image_recipes.models.saving import load_model, load_model_info, load_reliability, save_model, summarize
from recipes import make_recipe, number_info

INFO = number_info([4, 4, 1])
LAYERS = [Layer("Flatten", {}), Layer("Dense", {"units": 8, "activation": "relu"})]


def compiled() -> keras.Model:
    model = build_model(make_recipe(LAYERS), INFO)
    model.compile("sgd", "mse")
    return model


def test_a_saved_model_is_canonical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, now = compiled(), time.time()
    for number in range(2):
        monkeypatch.setattr(time, "time", lambda number=number: now + 1_000 * number)
        save_model(model, INFO, tmp_path / f"{number}.keras")
        model.save(tmp_path / f"keras_{number}.keras")

    assert (tmp_path / "0.keras").read_bytes() == (tmp_path / "1.keras").read_bytes()
    # Keras's own differ
    assert (tmp_path / "keras_0.keras").read_bytes() != (tmp_path / "keras_1.keras").read_bytes()
    with zipfile.ZipFile(tmp_path / "0.keras") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_shared_layers_stay_shared(tmp_path: Path) -> None:
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(4, activation=keras.layers.ReLU())
    model = keras.Model(inputs, shared(shared(inputs)))
    save_model(model, INFO, tmp_path / "shared.keras")

    loaded = load_model(tmp_path / "shared.keras")

    assert loaded.count_params() == model.count_params() == 20
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_model_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda values: values * 2)]).save(tmp_path / "net.keras")

    with pytest.raises(UserError, match=r"net\.keras: refused, since it would run code"):
        load_model(tmp_path / "net.keras")


def test_a_model_file_says_what_it_was_trained_on(tmp_path: Path) -> None:
    model = compiled()
    info = DatasetInfo(
        CLASSIFICATION, ["어두움", 'it\'s "bright"'], None, [4, 4, 1], {"all": 90}, "x", "crop", [0, 0, 1, 0.5]
    )

    save_model(model, info, tmp_path / "net.keras")

    found = load_model_info(tmp_path / "net.keras")
    assert found.parts == {}
    assert (found.classes, found.fit, found.region) == (info.classes, "crop", [0, 0, 1, 0.5])
    assert keras.saving.load_model(tmp_path / "net.keras").count_params() == model.count_params()


def test_a_file_of_another_program_or_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"net\.keras: not found: get it back by `dvc checkout .*dvc repro train@net`"):
        load_model(tmp_path / "net.keras")
    (tmp_path / "net.keras").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"net\.keras: cannot be opened as a Keras model"):
        load_model(tmp_path / "net.keras")
    compiled().save(tmp_path / "net.keras")
    with pytest.raises(UserError, match="does not say how to prepare pictures for it, since another program has saved"):
        load_model_info(tmp_path / "net.keras")


def test_a_summary_counts_no_optimizer() -> None:
    model = compiled()
    before = summarize(model)
    model.optimizer.build(model.trainable_variables)

    assert summarize(model) == before
    assert "Total params: 145" in before
    assert "optimizer" not in before.lower()


def rewrite(file: Path, changes: dict[str, bytes], target: Path) -> Path:
    """Write a model file again, compressed, with other content of some of its entries."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()} | changes
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target


def test_what_grows_beyond_measure_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "BYTES_WITHOUT_LIMIT", 2**20)
    save_model(compiled(), INFO, tmp_path / "net.keras")
    stream = io.BytesIO()
    with h5py.File(stream, "w") as weights:
        weights.create_dataset("layers/dense/vars/0", (2**20,), "f4", chunks=(2**10,), compression="gzip")
    changes = {"zeros": {"reliability/scores.npy": bytes(2**22)}, "holes": {"model.weights.h5": stream.getvalue()}}
    files = [rewrite(tmp_path / "net.keras", change, tmp_path / f"{name}.keras") for name, change in changes.items()]

    for load, file in [(load_model, files[0]), (load_reliability, files[0]), (load_model, files[1])]:
        with pytest.raises(UserError, match="a bomb: do not trust it"):
            load(file)
    # one that is merely compressed opens
    load_model(rewrite(tmp_path / "net.keras", {}, tmp_path / "packed.keras"))


def test_layers_that_need_more_than_is_stored_are_refused_before_they_take_memory(tmp_path: Path) -> None:
    save_model(compiled(), INFO, tmp_path / "net.keras")
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        config = archive.read("config.json").decode()
    wider = config.replace('"units": 1,', '"units": 50000000,')
    assert wider != config
    file = rewrite(tmp_path / "net.keras", {"config.json": wider.encode()}, tmp_path / "wide.keras")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(UserError, match=r"its layers need [\d,]+ bytes, but it holds [\d,]+: a bomb"):
        load_model(file)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # in KiB


@pytest.mark.parametrize("metadata", [b"[]", b"{}", b'{"dataset": 1}', b"[" * 100_000, b"\xff", b"9" * 5_000])
def test_damaged_metadata_is_explained(metadata: bytes, tmp_path: Path) -> None:
    save_model(compiled(), INFO, tmp_path / "net.keras")

    with pytest.raises(UserError, match=r"bad\.keras: (cannot be opened as a Keras model|does not say how)") as caught:
        load_model_info(rewrite(tmp_path / "net.keras", {"metadata.json": metadata}, tmp_path / "bad.keras"))
    assert len(caught.value.args) == 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("trained") / "net.keras"
    values = np.array([1, 2], np.float32)
    familiarity = Familiarity(values, np.eye(2, dtype=np.float32), values, 0.5, 2.0)
    save_model(compiled(), INFO, file, Reliability(1.0, values, familiarity))
    return file.read_bytes()


@given(data=st.data())
def test_a_damaged_model_opens_or_is_refused(trained: bytes, data: st.DataObject) -> None:
    with temporary_file(data.draw(damaged(trained)), "net.keras") as file:
        loads: tuple[Callable[[Path], Any], ...] = (load_model_info, load_reliability, load_model)
        for load in loads:
            loaded_or_refused(partial(load, file))


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("reliability/scores", np.zeros((2, 2), np.float32)),
        ("reliability/scores", np.zeros(2)),
        ("reliability/temperature", np.array(0.0)),
        ("familiarity/mean", np.zeros(3, np.float32)),
        ("familiarity/components", np.zeros((3, 2), np.float32)),
        ("familiarity/variances", np.zeros(2, np.float32)),
        ("familiarity/other", np.zeros(2, np.float32)),
    ],
)
def test_reliability_of_another_shape_is_refused(name: str, array: np.ndarray, trained: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.keras").write_bytes(trained)
    stream = io.BytesIO()
    np.save(stream, array)

    with pytest.raises(UserError, match=r"bad\.keras: cannot be opened as a Keras model"):
        load_reliability(rewrite(tmp_path / "net.keras", {f"{name}.npy": stream.getvalue()}, tmp_path / "bad.keras"))
