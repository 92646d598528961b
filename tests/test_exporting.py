"""`image-recipes export`: a file that predicts elsewhere what Keras predicts here."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Project

from image_recipes.backend import keras
from image_recipes.datasets import DatasetInfo, Subset
from image_recipes.errors import UserError
from image_recipes.exporting import FORMATS, export_model
from image_recipes.models import build_model
from image_recipes.params import Layer

INFO = DatasetInfo("classification", ["<cat>", "개"], None, [8, 8, 3], {}, "test", "crop", [0, 0, 0.5, 1])


@pytest.fixture
def pictures() -> Subset:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    return Subset(images, np.zeros(20, int), np.arange(20))


def build(precision: str = "float32") -> keras.Model:
    """A network with most kinds of layers, augmentation too."""
    keras.utils.set_random_seed(0)
    layers = [
        Layer("Conv2D", {"filters": 4, "kernel_size": 3, "activation": "relu"}),
        Layer("BatchNormalization", {}),
        Layer("MaxPooling2D", {}),
        Layer("Dropout", {"rate": 0.5}),
        Layer("Flatten", {}),
    ]
    flip = [Layer("RandomFlip", {"mode": "horizontal"}), Layer("RandomRotation", {"factor": 0.1})]
    return build_model(layers, INFO, precision, "architectures.x", "x", augmentation=flip)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("form", ["onnx", "litert", "savedmodel"])
def test_an_exported_file_predicts_what_keras_predicts(
    form: str, precision: str, pictures: Subset, tmp_path: Path
) -> None:
    model = build(precision)
    file = tmp_path / f"x{FORMATS[form].ending}"

    exported = export_model(model, INFO, pictures, form, file)

    outputs = FORMATS[form].load(file)(pictures.read(slice(0, 3)))
    tolerance = 1e-4 if precision == "float32" else 0.02
    np.testing.assert_allclose(outputs, model.predict(pictures.read(slice(0, 3)), verbose=0), atol=tolerance)
    assert exported.difference < 1e-4
    assert exported.size > 500
    assert exported.seconds > 0


@pytest.mark.slow
def test_a_file_says_what_it_takes_and_returns(pictures: Subset, tmp_path: Path) -> None:
    import onnx

    model = build()
    for form in FORMATS:
        export_model(model, INFO, pictures, form, tmp_path / f"x{FORMATS[form].ending}")

    inside = {entry.key: entry.value for entry in onnx.load(tmp_path / "x.onnx").metadata_props}
    assert json.loads(inside["classes"]) == INFO.classes
    for beside in ["x.tflite.json", "x/dataset.json"]:
        about = json.loads((tmp_path / beside).read_text("utf-8"))
        assert about["classes"] == INFO.classes
        assert about["fit"] == "crop"
        assert about["region"] == [0, 0, 0.5, 1]
        assert about["image_shape"] == [8, 8, 3]


def test_a_file_that_predicts_something_else_is_not_left(
    pictures: Subset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = FORMATS["savedmodel"]
    off = right._replace(load=lambda folder: lambda images: right.load(folder)(images) + 2e-4)
    monkeypatch.setitem(FORMATS, "savedmodel", off)

    with pytest.raises(UserError, match=r"predicts something else than Keras, by up to 0\.0002: no file was written"):
        export_model(build(), INFO, pictures, "savedmodel", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_what_lies_at_the_wanted_place_is_not_lost(pictures: Subset, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/1.jpg").write_bytes(b"dear")

    with pytest.raises(UserError, match="photos: is there already, and no model that was exported"):
        export_model(build(), INFO, pictures, "savedmodel", tmp_path / "photos")
    assert (tmp_path / "photos/1.jpg").read_bytes() == b"dear"
    (tmp_path / "net.keras").write_bytes(b"dear")
    with pytest.raises(UserError, match=r"net\.keras: is there already"):
        export_model(build(), INFO, pictures, "savedmodel", tmp_path / "net.keras")
    assert (tmp_path / "net.keras").read_bytes() == b"dear"
    with pytest.raises(UserError, match=r"x\.bin: a file for onnx ends in \.onnx"):
        export_model(build(), INFO, pictures, "onnx", tmp_path / "x.bin")


@pytest.mark.slow
def test_the_command_says_how_large_how_good_and_how_fast(finished: Project, tmp_path: Path) -> None:
    file = tmp_path / "number.onnx"
    output = finished.run("image-recipes", "export", "tiny_number", "--to", "onnx", "--output", str(file)).stdout

    lines = output.splitlines()
    assert lines[0].startswith(f"{file}: 0.0")
    assert lines[1].startswith("30 test pictures: as Keras predicts, within")
    assert lines[2].endswith(" throws on average")
    assert lines[3].endswith(" ms a picture, one at a time")


WITHOUT = "import sys; sys.modules[sys.argv.pop(1)] = None; from image_recipes.cli import main; main()"


@pytest.mark.slow
def test_a_missing_extra_names_its_command(finished: Project) -> None:
    output = finished.fails("python", "-c", WITHOUT, "tf2onnx", "export", "tiny_class", "--to", "onnx")
    assert (
        "tf2onnx: not installed: run `make extras` for what is pinned, or `pip install --editable '.[export]'`"
        in output
    )

    output = finished.fails("python", "-c", WITHOUT, "gradio", "demo", "tiny_class")
    assert "gradio: not installed: run `make extras`" in output


@pytest.mark.slow
def test_a_port_that_is_none_is_named_in_a_line(project: Project) -> None:
    for port in ["80", "99999", "x"]:
        output = project.fails("image-recipes", "demo", "--port", port)
        assert f"give a port from 1024 to 65535, not '{port}'" in output
        assert len(output) < 500


@pytest.mark.slow
def test_a_recipe_that_is_not_trained_is_named(project: Project) -> None:
    assert "no recipe is trained yet" in project.fails("image-recipes", "demo")
    assert "train it by `make repro RECIPE=tiny_class`" in project.fails("image-recipes", "demo", "tiny_class")
    output = project.fails("image-recipes", "export", "tiny_class", "--to", "savedmodel")
    assert "models/tiny_class.keras: not found" in output
    assert "did you mean 'tiny_class'?" in project.fails("image-recipes", "export", "tiny_clas", "--to", "onnx")
