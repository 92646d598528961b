"""What `image-recipes predict` takes and writes, by a model that was never trained."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from calling import RUNNER, call, call_fails
from image_recipes.cli import app
from image_recipes.core.dataset import DatasetInfo
from image_recipes.models.build import build_model
from image_recipes.models.recipe import Layer
from image_recipes.models.saving import save_model
from pictures import noise
from recipes import class_info, make_recipe, number_info

CLASSES = ["cat", "dog, large", "새"]
TRUST = ["prediction_set", "unfamiliar"]


def save(info: DatasetInfo, file: str) -> None:
    save_model(build_model(make_recipe([Layer("Flatten", {})]), info), info, Path(file))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of pictures to predict; the models lie in the current folder."""
    monkeypatch.chdir(tmp_path)
    save(class_info((8, 8, 3), CLASSES), "pets.keras")
    (tmp_path / "new").mkdir()
    return tmp_path / "new"


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_best_classes_and_all_probabilities(folder: Path) -> None:
    noise(0).save(folder / "a.png")

    (best,) = read_csv(call("predict", "pets.keras", "new", "--top", "2").stdout)
    (all_of_them,) = read_csv(call("predict", "pets.keras", "new", "--all").stdout)
    (line,) = call("predict", "pets.keras", "new", "--top", "9", "--all", "--format", "jsonl").stdout.splitlines()

    assert list(best) == ["path", "class", "probability", *TRUST, "class_2", "probability_2"]
    assert list(all_of_them) == ["path", "class", "probability", *TRUST, *CLASSES]
    probabilities = {name: float(all_of_them[name]) for name in CLASSES}
    ranked = sorted(probabilities, key=lambda name: -probabilities[name])
    assert [best["class"], best["class_2"]] == ranked[:2]
    values = json.loads(line)
    assert values["probabilities"] == probabilities
    assert [entry["class"] for entry in values["top"]] == ranked
    assert (values["path"], values["class"]) == ("new/a.png", ranked[0])


def test_every_name_can_be_read_back(folder: Path) -> None:
    names = ["comma,name.png", 'quote".png', "한글.png", "-dash.png", "new\nline.png", "UPPER.PNG", "photo.jfif"]
    for number, name in enumerate([*names, "noextension"]):
        noise(number).save(folder / name, "PNG")
    os.rename(os.fsencode(folder / "photo.jfif"), os.fsencode(folder) + b"/caf\xe9.png")  # noqa: PTH104
    noise(9).save(folder / ".hidden.png")
    noise(9).save(folder / "wrong.txt", "PNG")
    (folder / "Makefile").write_text("all:\n")
    (folder / "bad\n.png").write_bytes(b"nothing")

    done = call("predict", "pets.keras", "new")
    lines = call("predict", "pets.keras", "new", "--format", "jsonl", "--output", "out.jsonl")

    expected = {f"new/{name}" for name in [*names[:-1], "noextension", "caf\\xe9.png"]}
    assert {row["path"] for row in read_csv(done.stdout)} == expected
    assert {json.loads(line)["path"] for line in Path("out.jsonl").read_text("utf-8").splitlines()} == expected
    assert lines.stdout == ""
    assert "new/bad\\n.png: not a picture" in done.stderr
    assert "names that are not UTF-8 are written escaped: new/caf\\xe9.png" in done.stderr
    assert "passed over: new/.hidden.png, new/Makefile, new/wrong.txt" in done.stderr


@pytest.mark.parametrize("ends", [b"\n", b"\0", b"\r\n"])
def test_paths_are_read_from_standard_input(folder: Path, ends: bytes) -> None:
    for number, name in enumerate(["a b.png", "caf\udce9.png"]):
        noise(number).save(folder / "x.png")
        (folder / "x.png").rename(folder / name)

    done = RUNNER.invoke(app, ["predict", "pets.keras", "-"], input=b"new/a b.png" + ends + b"new/caf\xe9.png" + ends)

    assert [row["path"] for row in read_csv(done.stdout)] == ["new/a b.png", "new/caf\\xe9.png"], done.output
    assert "no paths on standard input" in RUNNER.invoke(app, ["predict", "pets.keras", "-"], input=b"").output


def test_the_range_of_the_training_pictures_is_used(folder: Path) -> None:
    info = class_info((8, 8, 3), CLASSES)
    save(DatasetInfo(**{**vars(info), "pixel_range": {"16 bits": [100, 200]}}), "deep.keras")
    save(info, "full.keras")
    values = np.linspace(100, 200, 64).reshape(8, 8).astype(np.uint16)
    Image.fromarray(values).save(folder / "deep.tif")
    Image.fromarray(((values - 100) * 255.0 / 100).astype(np.uint8)).save(folder / "same.png")
    Image.fromarray(values.astype(np.float32)).save(folder / "float.tif")

    done = call("predict", "deep.keras", "new", "--all")

    deep, same = read_csv(done.stdout)
    assert {**deep, "path": ""} == {**same, "path": ""}
    assert "new/float.tif: floats a channel: the pictures that pixel_range was taken from have none" in done.stderr


def test_a_flawed_file_is_predicted_with_a_warning(folder: Path) -> None:
    stream = io.BytesIO()
    noise(0).save(stream, "JPEG")
    (folder / "cut.jpg").write_bytes(stream.getvalue()[:-2])

    done = call("predict", "pets.keras", "new")

    assert len(read_csv(done.stdout)) == 1
    assert "new/cut.jpg: warning: a JPEG without its end marker" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sizes.keras", "new", "--top", "3"], "--top: sizes.keras predicts a number"),
        (["sizes.keras", "new", "--all"], "--all: sizes.keras predicts a number"),
        (["pets.keras", "new", "--format", "json"], "--format: no format 'json': did you mean 'jsonl'?"),
        (["odd.keras", "new", "--all"], "--all: a class is called path, as a column is: take --format jsonl"),
    ],
)
def test_what_a_model_cannot_give_is_a_line(folder: Path, arguments: list[str], message: str) -> None:
    noise(0).save(folder / "a.png")
    save(number_info((8, 8, 3)), "sizes.keras")
    save(class_info((8, 8, 3), ["path", "other"]), "odd.keras")

    assert f"error: {message}" in call_fails("predict", *arguments)


def test_the_output_may_be_a_device_or_a_link_but_no_folder(folder: Path, tmp_path: Path) -> None:
    noise(0).save(folder / "a.png")
    (tmp_path / "results").mkdir()
    (tmp_path / "link.csv").symlink_to("results/real.csv")

    refused = call_fails("predict", "pets.keras", "new", "--output", "results")
    full = call_fails("predict", "pets.keras", "new", "--output", "/dev/full")
    call("predict", "pets.keras", "new", "--output", "/dev/null")
    call("predict", "pets.keras", "new", "--output", "link.csv")

    assert refused.startswith("error: results: is a folder, and a file is to be written: name a file in it")
    assert "error: /dev/full: No space left on device\n" in full
    assert Path("/dev/null").is_char_device()
    assert Path("link.csv").is_symlink()
    assert len(read_csv(Path("results/real.csv").read_text("utf-8"))) == 1
