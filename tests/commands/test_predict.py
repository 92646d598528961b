"""`image-recipes predict`: new picture files to a CSV, prepared as the model's own pictures were."""

import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from calling import call, call_fails
from image_recipes.models.reliability import scale_logits
from image_recipes.models.saving import load_model, load_reliability
from projects import Project


@pytest.fixture
def digits(finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first pictures of the tiny project's digits, as files; the project is the current folder."""
    images = np.load(finished.root / "data/prepared/mnist/images.npy", mmap_mode="r")
    (tmp_path / "new digits").mkdir()
    for number in range(40):
        Image.fromarray(images[number, ..., 0]).save(tmp_path / "new digits" / f"{number:02}.png")
    monkeypatch.chdir(finished.root)
    return tmp_path / "new digits"


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype={"class": str, "prediction_set": str})


def test_files_are_predicted_as_the_prepared_pictures_are(digits: Path) -> None:
    table = read(call("predict", "tiny_class", str(digits)).stdout)

    assert table["path"].tolist() == [str(digits / f"{number:02}.png") for number in range(40)]
    images = np.load("data/prepared/mnist/images.npy")[:40]
    file = Path("models/tiny_class.keras")
    outputs, reliability = load_model(file).predict(images, verbose=0), load_reliability(file)
    assert reliability is not None
    assert table["class"].tolist() == [str(number) for number in outputs.argmax(axis=1)]
    calibrated = scale_logits(outputs, reliability.temperature)
    np.testing.assert_allclose(table["probability"], calibrated.max(axis=1), atol=1e-4)
    sets = [set(names.split(" | ")) - {""} for names in table["prediction_set"].fillna("")]
    within = 1 - calibrated <= reliability.threshold(0.9)
    assert sets == [{str(number) for number in np.flatnonzero(row)} for row in within]


def test_a_number_has_its_unit(digits: Path) -> None:
    table = read(call("predict", "tiny_number", str(digits / "00.png")).stdout)

    assert table.columns.tolist() == ["path", "number", "unit", "low", "high", "unfamiliar"]
    assert table["unit"].tolist() == ["throws"]
    assert np.isfinite(table["number"]).all()


def test_bad_pictures_are_named_and_skipped(digits: Path, tmp_path: Path) -> None:
    (digits / "07.png").write_bytes(b"no picture")
    (digits / "08.png").write_bytes(b"")
    (digits / "notes.txt").write_text("not asked for")

    done = call("predict", "tiny_class", str(digits), "--output", str(tmp_path / "out.csv"))

    assert f"{digits / '07.png'}: not a picture" in done.stderr
    assert f"{digits / '08.png'}: empty file" in done.stderr
    assert "2 of 40 pictures were skipped" in done.stderr
    assert f"passed over: {digits / 'notes.txt'}" in done.stderr
    assert done.stdout == ""
    assert len(pd.read_csv(tmp_path / "out.csv")) == 38


def test_the_model_s_own_preparation_counts(
    digits: Path, finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = call("predict", "tiny_class", str(digits)).stdout
    shutil.copy("models/tiny_class.keras", tmp_path / "taken away.keras")
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("seed: of something else\n")

    assert call("predict", "taken away.keras", str(digits)).stdout == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tiny_klass", "{digits}"], "recipes: no recipe 'tiny_klass': did you mean 'tiny_class'?"),
        (["tiny_class", "nowhere.png"], "nowhere.png: not found"),
        (["tiny_class", "{empty}"], "no pictures in it"),
        (["tiny_class", "{bad}"], "none of the pictures can be read"),
        (["params.keras", "{digits}"], "params.keras: not found"),
    ],
)
def test_what_cannot_be_predicted_is_explained(
    arguments: list[str], message: str, digits: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.png").write_bytes(b"no picture")
    places = {"digits": digits, "empty": tmp_path / "empty", "bad": tmp_path / "bad.png"}

    output = call_fails("predict", *(argument.format(**places) for argument in arguments))

    assert "error: " in output
    assert message in output


def test_a_recipe_that_is_not_trained_names_the_command(in_bare_project: Project) -> None:
    Image.new("L", (28, 28)).save("new.png")

    output = call_fails("predict", "tiny_class", "new.png")

    assert "models/tiny_class.keras: not found" in output
    assert "dvc repro train@tiny_class" in output


@pytest.mark.slow
def test_a_program_that_wants_no_more_is_no_error(finished: Project, digits: Path) -> None:
    paths = " ".join(f"'{digits}'" for _ in range(60))
    done = finished.run("bash", "-o", "pipefail", "-c", f"image-recipes predict tiny_class {paths} | head -2")

    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.slow
def test_thousands_of_pictures_take_no_more_memory(finished: Project, digits: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(6_000):
        (many / f"{number:05}.png").hardlink_to(digits / f"{number % 40:02}.png")
    # processes that decode import the file again
    (tmp_path / "measure.py").write_text("""
import resource, sys
from image_recipes.cli import main
if __name__ == "__main__":
    sys.argv = ["image-recipes", "predict", "tiny_class", *sys.argv[1:]]
    try:
        main()
    finally:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
""")
    peaks = []
    for paths in ([str(digits)], [str(many)]):
        done = finished.run("python", str(tmp_path / "measure.py"), *paths)
        peaks.append(float(done.stderr.splitlines()[-1]))
        rows = read(done.stdout)

    assert len(rows) == 6_000
    assert rows["probability"].tolist()[:40] == rows["probability"].tolist()[40:80]
    assert peaks[1] < peaks[0] + 150


def test_another_coverage_gives_wider_answers_and_too_large_a_one_says_what_it_takes(digits: Path) -> None:
    picture = str(digits / "00.png")
    narrow = read(call("predict", "tiny_number", picture, "--coverage", "0.5").stdout).iloc[0]
    wide = read(call("predict", "tiny_number", picture).stdout).iloc[0]
    too_large = call("predict", "tiny_number", picture, "--coverage", "0.999")

    assert wide["low"] < narrow["low"] < wide["number"] < narrow["high"] < wide["high"]
    assert "tiny_number: intervals that hold for 0.999 of all pictures take 999 validation pictures" in too_large.stderr
    assert read(too_large.stdout)[["low", "high"]].isna().all(axis=None)
    assert call_fails("predict", "tiny_number", picture, "--coverage", "1") == (
        "error: --coverage: give a share between 0 and 1, such as 0.9, not 1\n"
    )
