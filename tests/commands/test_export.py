"""`image-recipes export`: a file that predicts elsewhere what Keras predicts here."""

import json
from pathlib import Path

import numpy as np
import pytest

from calling import call, call_fails
from image_recipes.commands.export import FORMATS, describe, export_model
from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.recipe import Layer
from image_recipes.training.adapting import adapt_normalization
from projects import Project
from recipes import make_recipe, number_info

INFO = DatasetInfo(CLASSIFICATION, ["<cat>", "개"], None, [8, 8, 3], {}, "test", "crop", [0, 0, 0.5, 1])


def make_pictures() -> Subset:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    return Subset(images, np.zeros(20, int), np.arange(20))


@pytest.fixture
def pictures() -> Subset:
    return make_pictures()


def build(precision: str = "float32") -> keras.Model:
    """A network with most kinds of layers, augmentation too."""
    keras.utils.set_random_seed(0)
    block = (Layer("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"}), Layer("BatchNormalization", {}))
    layers = [
        Layer("Normalization", {}),
        Layer("Residual", {"layers": block}),
        Layer("Conv2D", {"filters": 4, "kernel_size": 3, "activation": "relu"}),
        Layer("BatchNormalization", {}),
        Layer("MaxPooling2D", {}),
        Layer("Dropout", {"rate": 0.5}),
        Layer("Flatten", {}),
    ]
    augmentation = [{"RandomFlip": {"mode": "horizontal"}}, {"RandomRotation": {"factor": 0.1}}]
    model = build_model(make_recipe(layers, precision=precision, augmentation=augmentation), INFO)
    adapt_normalization(model, make_pictures())
    return model


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return build()


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
def test_a_file_says_what_it_takes_and_returns(model: keras.Model, pictures: Subset, tmp_path: Path) -> None:
    import onnx

    for form in FORMATS:
        export_model(model, INFO, pictures, form, tmp_path / f"x{FORMATS[form].ending}")

    inside = {entry.key: entry.value for entry in onnx.load(tmp_path / "x.onnx").metadata_props}
    assert json.loads(inside["classes"]) == INFO.classes
    assert inside["task"] == "classification"
    for beside in ["x.tflite.json", "x/dataset.json"]:
        assert json.loads((tmp_path / beside).read_text("utf-8")) == describe("net", INFO)


def test_a_description_names_input_output_and_preparation() -> None:
    about = describe("x", INFO)

    assert about["recipe"] == "x"
    assert about["input"] == "uint8 pictures (n, height, width, channels), 0-255"
    assert about["output"] == "probabilities of 2 classes"
    assert about["classes"] == INFO.classes
    assert (about["task"], about["fit"], about["region"]) == ("classification", "crop", [0, 0, 0.5, 1])
    assert about["image_shape"] == [8, 8, 3]
    assert describe("y", number_info((8, 8, 1), "grams"))["output"] == "number in grams"


def test_a_file_that_predicts_something_else_is_not_left(
    model: keras.Model, pictures: Subset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = FORMATS["savedmodel"]
    off = right._replace(load=lambda folder: lambda images: right.load(folder)(images) + 2e-4)
    monkeypatch.setitem(FORMATS, "savedmodel", off)

    with pytest.raises(UserError, match=r"predicts something else than Keras, by up to 0\.0002: no file was written"):
        export_model(model, INFO, pictures, "savedmodel", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_what_lies_at_the_wanted_place_is_not_lost(model: keras.Model, pictures: Subset, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/1.jpg").write_bytes(b"dear")

    with pytest.raises(UserError, match="photos: is there already, and no model that was exported"):
        export_model(model, INFO, pictures, "savedmodel", tmp_path / "photos")
    assert (tmp_path / "photos/1.jpg").read_bytes() == b"dear"
    (tmp_path / "net.keras").write_bytes(b"dear")
    with pytest.raises(UserError, match=r"net\.keras: is there already"):
        export_model(model, INFO, pictures, "savedmodel", tmp_path / "net.keras")
    assert (tmp_path / "net.keras").read_bytes() == b"dear"
    with pytest.raises(UserError, match=r"x\.bin: a file for onnx ends in \.onnx"):
        export_model(model, INFO, pictures, "onnx", tmp_path / "x.bin")


def test_pictures_of_another_shape_say_to_train_again(model: keras.Model, tmp_path: Path) -> None:
    grey = Subset(np.zeros((2, 8, 8, 1), np.uint8), np.zeros(2, int), np.arange(2))

    with pytest.raises(UserError, match=r"net: takes pictures of \[8, 8, 3\], but those prepared are of \[8, 8, 1\]"):
        export_model(model, INFO, grey, "savedmodel", tmp_path / "x")


@pytest.mark.parametrize(
    ("recipe", "count", "figure"),
    [
        ("tiny_class", 60, "accuracy on them: {test_accuracy:.4f}"),
        ("tiny_number", 30, "off by {test_mae:.4g} throws on average"),
    ],
)
def test_the_command_says_how_large_how_good_and_how_fast(
    recipe: str, count: int, figure: str, finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.root)
    dataset = {"tiny_class": "mnist", "tiny_number": "dots"}[recipe]
    metrics = json.loads(Path(f"metrics/{dataset}/{recipe}.json").read_text("utf-8"))

    lines = call("export", recipe, "--to", "savedmodel", "--output", str(tmp_path / "x")).stdout.splitlines()

    assert lines[0].startswith(f"{tmp_path / 'x'}: 0.")
    assert lines[1].startswith(f"{count} test pictures: as Keras predicts, within")
    assert lines[2] == figure.format(**metrics)
    assert lines[3].endswith(" ms a picture, one at a time")
    assert (tmp_path / "x/saved_model.pb").exists()


def test_without_a_place_a_file_goes_to_exports(playground: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(playground.root)

    assert call("export", "tiny_number", "--to", "savedmodel").stdout.startswith("exports/tiny_number: 0.")

    assert Path("exports/tiny_number/saved_model.pb").exists()
    assert playground.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.slow
def test_a_recipe_is_exported_to_run_elsewhere(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.root)

    for form in ["onnx", "litert"]:
        file = tmp_path / f"number{FORMATS[form].ending}"
        said = call("export", "tiny_number", "--to", form, "--output", str(file)).stdout

        assert said.startswith(f"{file}")
        assert "30 test pictures: as Keras predicts, within" in said
        assert file.stat().st_size > 500


def test_a_missing_extra_names_its_command(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.root)
    monkeypatch.setattr("image_recipes.commands.extras.find_spec", lambda module: None)

    output = call_fails("export", "tiny_class", "--to", "onnx")
    assert (
        "onnx, onnxruntime, tf2onnx: not installed: run `make extras` for what is pinned, "
        "or `pip install --editable '.[export]'`"
    ) in output
    assert "gradio: not installed: run `make extras`" in call_fails("demo", "tiny_class")


def test_what_cannot_be_exported_is_named(in_bare_project: Project) -> None:
    assert "models/tiny_class.keras: not found" in call_fails("export", "tiny_class", "--to", "savedmodel")
    assert "did you mean 'tiny_class'?" in call_fails("export", "tiny_clas", "--to", "onnx")
    assert "no format 'onx': did you mean 'onnx'?" in call_fails("export", "tiny_class", "--to", "onx")
