"""`image-recipes predict --rank-unlabelled`: what the model is unsure of comes first, and not ten copies of it."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from calling import call, call_fails
from image_recipes.commands.predict_rank import rank_pictures
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.models.backend import keras
from image_recipes.models.build import build_model
from image_recipes.models.recipe import Layer
from image_recipes.models.saving import save_model
from pictures import noise
from recipes import class_info, make_recipe, number_info

TRUST = ["prediction_set", "unfamiliar"]


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of eight pictures, and three copies of each of two of them; the models lie in the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "new"
    folder.mkdir()
    for number in range(8):
        for copy in range(4 if number < 2 else 1):
            noise(number).save(folder / f"{number}-{copy}.png")
    return folder


def save(info: DatasetInfo, file: str = "net.keras") -> None:
    keras.utils.set_random_seed(0)
    save_model(build_model(make_recipe([Layer("Flatten", {})]), info), info, Path(file))


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_unsure_come_first_and_copies_after_all_that_differ() -> None:
    # of each scene four copies; the model is sure of the last two scenes
    scenes = np.repeat(np.arange(6), 4)
    embeddings = np.random.default_rng(0).random((6, 5))[scenes].astype(np.float32)
    unsure = np.array([0.45, 0.4, 0.35, 0.3, 0.001, 0.001])[scenes]

    order = rank_pictures(np.stack([1 - unsure, unsure], axis=1), embeddings, CLASSIFICATION, "net")

    assert sorted(order) == list(range(24))
    assert order[0] == 0
    assert {*scenes[order[:4]]} == {0, 1, 2, 3}
    assert {*scenes[order[4:6]]} == {4, 5}


def test_numbers_are_ranked_by_how_unlike_pictures_are() -> None:
    embeddings = np.array([[0, 0], [0, 0.1], [5, 5], [0.1, 0], [9, 0]], np.float32)

    order = rank_pictures(np.zeros((5, 1), np.float32), embeddings, REGRESSION, "net")

    assert order[:3] == [0, 4, 2]


def test_every_picture_is_ranked_where_there_are_many() -> None:
    random = np.random.default_rng(0)
    outputs, embeddings = random.dirichlet([1, 1, 1], 1_500), random.random((1_500, 4), np.float32)

    order = rank_pictures(outputs, embeddings, CLASSIFICATION, "net")

    assert sorted(order) == list(range(1_500))
    second, best = np.sort(outputs[order], axis=1)[:, -2:].T
    assert (best - second)[:500].mean() < (best - second)[-500:].mean()


@pytest.mark.parametrize(
    ("info", "columns"),
    [
        (
            class_info([8, 8, 3], ["cat", "dog"]),
            ["rank", "path", "class", "probability", *TRUST],
        ),
        (number_info([8, 8, 3]), ["rank", "path", "number", "unit", "low", "high", "unfamiliar"]),
        # more features than are kept as they are
        (
            class_info([32, 32, 3], ["cat", "dog"]),
            ["rank", "path", "class", "probability", *TRUST],
        ),
    ],
    ids=["classes", "numbers", "many features"],
)
def test_the_table_says_what_to_label_first(info: DatasetInfo, columns: list[str], new: Path) -> None:
    save(info)
    (new / "damaged.png").write_bytes(b"no picture")

    result = call("predict", "net.keras", "new", "--rank-unlabelled")

    rows = read_csv(result.stdout)
    assert list(rows[0]) == columns
    assert [int(row["rank"]) for row in rows] == list(range(1, 15))
    # the eight that differ
    assert {Path(row["path"]).name[0] for row in rows[:8]} == {*"01234567"}
    answers = {row["path"]: row for row in read_csv(call("predict", "net.keras", "new").stdout)}
    assert all({**answers[row["path"]], "rank": row["rank"]} == row for row in rows)
    assert "ranked: first what" in result.stderr
    assert "1 of 15 pictures were skipped" in result.stderr


def test_other_options_go_with_it(new: Path) -> None:
    save(class_info([8, 8, 3], ["rank", "dog"]))

    options = ["--rank-unlabelled", "--all", "--top", "2", "--format", "jsonl", "--output", "first.jsonl"]
    call("predict", "net.keras", "new", *options)

    lines = [json.loads(line) for line in Path("first.jsonl").read_text("utf-8").splitlines()]
    assert [line["rank"] for line in lines] == list(range(1, 15))
    assert list(lines[0]["probabilities"]) == ["rank", "dog"]
    output = call_fails("predict", "net.keras", "new", "--rank-unlabelled", "--all")
    assert output == "error: --all: a class is called rank, as a column is: take --format jsonl\n"


def test_what_cannot_be_ranked_is_a_line(new: Path) -> None:
    info = class_info([8, 8, 3])
    pictures = keras.Input([8, 8, 3])
    outputs = keras.layers.Dense(2, "softmax")(keras.layers.Flatten()(pictures))
    save_model(keras.Model(pictures, outputs, name="foreign"), info, Path("foreign.keras"))

    assert "foreign.keras: the model was built elsewhere" in call_fails(
        "predict", "foreign.keras", "new", "--rank-unlabelled"
    )
    with pytest.raises(UserError, match="net: its outputs are not finite"):
        rank_pictures(np.full((2, 2), np.nan), np.zeros((2, 1), np.float32), CLASSIFICATION, "net")
