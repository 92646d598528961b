"""`image-recipes add`: from a folder of pictures, or a table, to a trained model."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from calling import call, call_fails
from image_recipes.commands.add_recipes import make_recipe
from image_recipes.core.tasks import REGRESSION
from pictures import make_folder, make_table, noise
from projects import ROOT, TINY_PARAMS, Project, load_yaml

Tracked = list[tuple[Path | str, ...]]


@pytest.fixture
def leaves(tmp_path: Path) -> Path:
    """Pictures of three classes."""
    return make_folder(tmp_path / "my leaves", {"나팔꽃": 30, 'it\'s "rose" & co': 25, "moss": 25})


@pytest.fixture
def in_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A tiny project in which nothing has run yet, as the current folder."""
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def tracked(in_bare_project: Project, monkeypatch: pytest.MonkeyPatch) -> Tracked:
    """In a folder with the params of a tiny project alone: what DVC is asked to track, which takes a process each."""
    asked: Tracked = []
    monkeypatch.setattr("image_recipes.commands.add.track", lambda path, *options: asked.append((path, *options)))
    Path("data/weights").mkdir(parents=True)
    Path("data/weights/random").touch()
    return asked


def add(path: Path, name: str, *arguments: str) -> str:
    return call("add", str(path), "--name", name, *arguments).stdout


def weights_of(network: str) -> str:
    """Make a file that stands for weights."""
    file = Path(f"data/weights/{network}.weights.h5")
    file.write_bytes(b"stands for weights")
    return str(file)


def test_a_folder_is_added(in_project: Project, leaves: Path) -> None:
    said = add(leaves, "leaves")

    assert "80 pictures" in said
    assert '3 classes: it\'s "rose" & co 25, moss 25, 나팔꽃 30' in said
    assert "from 40x30 to 40x30 pixels" in said
    assert "data/raw/leaves: 80 new" in said
    assert said.splitlines()[-2:] == [
        "next: make repro RECIPE=leaves_cnn",
        "then: git add . && git commit -m 'Add leaves'   (a queued experiment sees what is committed)",
    ]
    # DVC has the pictures, Git a line about them
    assert len(list(Path("data/raw/leaves").rglob("*.png"))) == 80
    assert Path("data/raw/leaves.dvc").exists()
    status = in_project.run("git", "status", "--porcelain", "--untracked-files=all").stdout
    assert "data/raw/leaves.dvc" in status
    assert ".png" not in status
    # the rest of params.yaml is as it was
    after = Path("params.yaml").read_text("utf-8").splitlines()
    assert [line for line in TINY_PARAMS.splitlines() if line not in after] == []
    dataset = load_yaml(Path("params.yaml"))["datasets"]["leaves"]
    assert (dataset["height"], dataset["width"], dataset["channels"]) == (40, 40, 3)
    call("check", "leaves_cnn")


def test_a_dry_run_changes_nothing(tracked: Tracked, leaves: Path) -> None:
    said = add(leaves, "leaves", "--dry-run")

    assert "data/raw/leaves: 80 new" in said
    assert "params.yaml: recipes: leaves_cnn" in said
    assert "nothing was changed" in said
    assert Path("params.yaml").read_text("utf-8") == TINY_PARAMS
    assert not Path("data/raw").exists()
    assert tracked == []


def test_comments_are_kept(tracked: Tracked, leaves: Path) -> None:
    text = TINY_PARAMS.replace("recipes:", "# the models\nrecipes:").replace("seed: 0\nd", "seed: 0  # of training\nd")
    Path("params.yaml").write_text(text, "utf-8")

    add(leaves, "leaves")

    text = Path("params.yaml").read_text("utf-8")
    assert "# the models\nrecipes:" in text
    assert "seed: 0  # of training" in text


def test_more_pictures_are_added_later(tracked: Tracked, leaves: Path) -> None:
    add(leaves, "leaves")
    params = Path("params.yaml").read_text("utf-8")
    make_folder(leaves, {"fern": 12}, start=500)
    noise(900).save(leaves / "moss/000.png")
    (leaves / "moss/001.png").unlink()

    said = add(leaves, "leaves")

    assert "12 new, 1 changed, 78 as before, 1 only in data/raw/leaves, which stay there" in said
    assert Path("params.yaml").read_text("utf-8") == params
    assert len(list(Path("data/raw/leaves").rglob("*.png"))) == 92
    assert Path("data/raw/leaves/moss/000.png").read_bytes() == (leaves / "moss/000.png").read_bytes()
    assert "1 removed" in add(leaves, "leaves", "--mirror")
    assert not Path("data/raw/leaves/moss/001.png").exists()
    assert tracked == [(Path("data/raw/leaves"),)] * 3


def test_links_take_no_space(in_project: Project, leaves: Path) -> None:
    add(leaves, "leaves", "--link")

    added = Path("data/raw/leaves/moss/000.png")
    assert added.is_symlink()
    assert added.resolve() == (leaves / "moss/000.png").resolve()
    assert added.read_bytes() == (leaves / "moss/000.png").read_bytes()
    assert "up to date" in in_project.run("dvc", "status", "data/raw/leaves.dvc").stdout


def test_another_column_of_the_same_table_is_explained(tracked: Tracked, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "panel", {"shots": 30})
    table = make_table(folder, [f"shots/{n:03}.png,{n / 7},{n / 3}" for n in range(30)], header="file,dirt,algae")
    add(table, "panel", "--target", "dirt")

    output = call_fails("add", str(table), "--name", "panel", "--target", "algae")

    assert "datasets.panel.columns is {'picture': 'file', 'target': 'dirt', " in output
    assert "change it there, or choose another name" in output


def test_a_table_is_added(tracked: Tracked, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "panel", {"shots": 60, "unused": 3})
    rows = [f"{number},shots/{number:03}.png,{number / 7:.2f},panel {number % 9}" for number in range(60)]
    table = make_table(folder, rows, "dirt.csv", "id,file,grams,group")

    said = add(table, "panel", "--target", "grams")

    assert "numbers from 0 to 8.43" in said
    assert "61 new" in said
    params = load_yaml(Path("params.yaml"))
    dataset = params["datasets"]["panel"]
    assert (dataset["task"], dataset["unit"]) == ("regression", "grams")
    assert dataset["columns"] == {"picture": "file", "target": "grams", "split": None, "group": "group"}
    assert params["recipes"]["panel_cnn"]["standardize_targets"] is True
    assert not Path("data/raw/panel/unused").exists()
    call("check", "panel_cnn")


def test_a_table_s_task_can_be_named(tracked: Tracked, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "panel", {"shots": 30})
    # few numbers, which look like classes
    table = make_table(folder, [f"shots/{number:03}.png,{number % 3}" for number in range(30)])

    assert "3 classes: 0 10, 1 10, 2 10" in add(table, "told", "--target", "target", "--dry-run")
    add(table, "panel", "--target", "target", "--task", "regression")

    assert load_yaml(Path("params.yaml"))["datasets"]["panel"]["task"] == "regression"


def test_a_transfer_recipe_is_added(tracked: Tracked, leaves: Path) -> None:
    weights = weights_of("MobileNetV2")
    add(leaves, "leaves")

    add(leaves, "leaves", "--transfer", weights)
    said = add(leaves, "leaves", "--transfer", weights)

    params = load_yaml(Path("params.yaml"))
    assert params["recipes"]["leaves_transfer"]["start_from"] == weights
    assert params["recipes"]["leaves_transfer"]["fine_tuning"]["epochs"] == 5
    # the pictures have 40 pixels
    larger = {"Resizing": {"height": 96, "width": 96}}
    assert params["architectures"]["on_MobileNetV2_enlarged"][:2] == [larger, {"MobileNetV2": None}]
    assert set(params["recipes"]) == {"tiny_class", "tiny_number", "leaves_cnn", "leaves_transfer"}
    assert "params.yaml" not in said
    call("check", "leaves_transfer")
    output = call_fails("add", str(leaves), "--name", "leaves", "--transfer", "models/tiny_class.keras")
    assert "models/tiny_class.keras: not found" in output
    output = call_fails("add", str(leaves), "--name", "leaves", "--transfer", weights_of("NASNetMobile"))
    assert f"recipes.leaves_transfer is there, and starts from {weights}" in output


def test_weights_that_are_there_are_used(tracked: Tracked, leaves: Path) -> None:
    said = add(leaves, "before")
    assert "make weights, then this again with --transfer data/weights/EfficientNetLite0.weights.h5" in said

    weights = weights_of("EfficientNetLite0")
    said = add(leaves, "leaves")

    assert load_yaml(Path("params.yaml"))["recipes"]["leaves_transfer"]["start_from"] == weights
    assert "leaves_transfer: makes pictures 96 pixels large, for a network that knows larger" in said
    assert "next: make repro DATASET=leaves" in said.splitlines()
    call("check", "leaves_transfer")
    # one that was taken out does not come back
    file = Path("params.yaml")
    file.write_text(re.sub(r"  leaves_transfer:\n(    .*\n)+", "", file.read_text("utf-8")), "utf-8")
    assert "leaves_transfer" not in add(leaves, "leaves")


def test_large_pictures_stay_large_for_a_network(tracked: Tracked, tmp_path: Path) -> None:
    large = make_folder(tmp_path / "large", {"a": 12, "b": 12}, size=(200, 120))

    add(large, "large", "--transfer", weights_of("MobileNetV2"))

    params = load_yaml(Path("params.yaml"))
    assert params["datasets"]["large"]["height"] == 160
    assert params["architectures"]["on_MobileNetV2"][0] == {"MobileNetV2": None}
    first = params["architectures"][params["recipes"]["large_cnn"]["architecture"]][0]
    assert first["Conv2D"]["strides"] == 2


@pytest.mark.parametrize(("pictures", "epochs"), [(14, 100), (420, 57), (6_000, 20)])
def test_few_pictures_are_learned_from_more_often(pictures: int, epochs: int) -> None:
    recipe = make_recipe("many", REGRESSION, "net", pictures)

    assert recipe["epochs"] == epochs
    assert recipe["standardize_targets"]


def test_epochs_suit_the_pictures_that_are_left_to_learn_from(tracked: Tracked, tmp_path: Path) -> None:
    # validation pictures are cut from those for training, of which 85 % stay
    make_folder(tmp_path / "given" / "train", {"fern": 130, "moss": 130}, size=(8, 8))
    make_folder(tmp_path / "given" / "test", {"fern": 150, "moss": 150}, size=(8, 8))

    add(tmp_path / "given", "given")

    # 221 pictures are 7 steps
    assert load_yaml(Path("params.yaml"))["recipes"]["given_cnn"]["epochs"] == 100
    # of 476 it would be 53
    assert make_recipe("many", REGRESSION, "net", 476)["epochs"] == 53


def test_a_table_that_names_no_picture_is_refused(tracked: Tracked, leaves: Path) -> None:
    table = make_table(leaves, [f"lost/{number:03}.jpg,{number}" for number in range(500, 525)], header="file,weight")

    output = call_fails("add", str(table), "--name", "x", "--target", "weight")

    assert "in no column are there names of pictures that lie below" in output
    assert "no picture can be read" in call_fails("add", str(table), "--name", "x", "--picture", "file")
    assert not Path("data/raw").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "--name", "x"], "nowhere: not found"),
        (["{leaves}", "--name", "dots"], "datasets.dots.source is dots, but for these pictures it would be folder"),
        (["{leaves}", "--name", "my leaves"], "name 'my leaves': use letters, digits and underscores"),
        (["{leaves}", "--name", "x", "--target", "weight"], "a folder has no columns: name the table"),
        (["{table}", "--name", "x"], "in no column are there names of pictures"),
        (["{table}", "--name", "x", "--target", "tarket"], "no column 'tarket': did you mean 'target'?"),
        (
            ["{table}", "--name", "x", "--target", "target", "--task", "regresion"],
            "--task: no task 'regresion': did you mean 'regression'?",
        ),
        (["{empty}", "--name", "x"], "no pictures in it"),
        (["{leaves}", "--name", "x", "--transfer", "no.h5"], "no.h5: not found: store ImageNet's weights by"),
        (["{leaves}", "--name", "x", "--transfer", "{table}"], "lies outside of the project"),
        (["{leaves}", "--name", "x", "--transfer", "data/weights/random"], "name it after its network"),
    ],
)
def test_what_cannot_be_added_is_explained(
    arguments: list[str], message: str, tracked: Tracked, leaves: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"leaves": leaves, "table": make_table(tmp_path / "t", ["a.png,1"]), "empty": tmp_path / "empty"}

    output = call_fails("add", *(argument.format(**places) for argument in arguments))

    assert f"error: {places['empty'] if 'no pictures' in message else ''}" in output
    assert message in output
    assert Path("params.yaml").read_text("utf-8") == TINY_PARAMS
    assert not Path("data/raw").exists()
    assert tracked == []


def test_what_dvc_cannot_track_is_said(in_bare_project: Project, leaves: Path) -> None:
    output = call_fails("add", str(leaves), "--name", "leaves")

    assert "error: dvc add data/raw/leaves failed: ERROR: you are not inside of a DVC repository" in output


def test_a_full_disk_leaves_nothing_half_written(
    tracked: Tracked, in_bare_project: Project, leaves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(leaves, "leaves")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    # a limit on the size of files stops writing as a full disk does
    output = in_bare_project.fails("bash", "-c", "ulimit -f 40; python -m stages.prepare leaves")

    assert "error: data/prepared/leaves/images.npy: File too large" in output
    assert list(Path("data/prepared").iterdir()) == []


def small_and_short(project: Project, recipe: str, epochs: int = 2) -> None:
    """Make an added recipe train for a moment only."""
    text = (project.root / "params.yaml").read_text("utf-8")
    head, found, tail = text.partition(f"  {recipe}:")
    assert found
    (project.root / "params.yaml").write_text(
        head + found + tail.replace("epochs: 30", f"epochs: {epochs}", 1), "utf-8"
    )


@pytest.mark.slow
def test_added_pictures_go_through_the_pipeline(in_project: Project, leaves: Path) -> None:
    add(leaves, "leaves")
    small_and_short(in_project, "leaves_cnn")

    ran = in_project.repro("plot@leaves_cnn", "compare@leaves")

    assert {"prepare@leaves", "split@leaves", "train@leaves_cnn", "evaluate@leaves_cnn", "plot@leaves_cnn"} <= ran
    predictions = pd.read_csv("data/predictions/leaves/leaves_cnn.csv")
    assert set(predictions["real"]) == {"나팔꽃", 'it\'s "rose" & co', "moss"}
    for name in ["samples/leaves", "overview/leaves", "leaves_cnn/gallery", "leaves_cnn/predictions", "compare/leaves"]:
        assert Path(f"plots/{name}.png").stat().st_size > 5_000
    assigned = Path("data/assigned/leaves.csv").read_text("utf-8")
    in_project.commit("Leaves")
    assert in_project.repro("plot@leaves_cnn", "compare@leaves") == set()

    # more pictures: the earlier ones stay in their splits, in a clone too
    make_folder(leaves, {"moss": 30, "fern": 20}, start=700)
    shutil.rmtree(leaves / "나팔꽃")
    add(leaves, "leaves")
    assert "split@leaves" in in_project.repro("split@leaves")
    now = Path("data/assigned/leaves.csv").read_text("utf-8").splitlines()
    kept = [line for line in assigned.splitlines() if not line.startswith("moss/")]
    assert [line for line in kept if line not in now] == []


@pytest.mark.slow
def test_bad_pictures_stop_the_run_and_nothing_is_lost(in_project: Project, leaves: Path) -> None:
    add(leaves, "leaves")
    Path("data/raw/leaves/moss/000.png").write_bytes(b"")

    output = in_project.fails("dvc", "repro", "prepare@leaves")

    assert "error: data/raw/leaves: 1 of 80 pictures cannot be used, such as moss/000.png (empty file)" in output
    assert "data/prepared/leaves/problems.csv lists all" in output
    assert Path("data/prepared/leaves/problems.png").exists()
    in_project.edit("params.yaml", "on_bad_picture: stop", "on_bad_picture: skip")
    assert "prepare@leaves" in in_project.repro("prepare@leaves")
    assert len(np.load("data/prepared/leaves/targets.npy")) == 79


def patches(side: int = 20) -> list[tuple[str, int, np.ndarray]]:
    """Cut scikit-learn's two photographs into squares: which one, the distance from its top, the picture."""
    found = []
    for name in ("china", "flower"):
        photograph = load_sample_image(f"{name}.jpg")
        rows, columns = (size // side * side for size in photograph.shape[:2])
        for top in range(0, rows, side):
            for left in range(0, columns, side):
                found.append((name, top, photograph[top : top + side, left : left + side]))
    return found


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of patches by photograph, and a table that says how far below the top each lies."""
    root = tmp_path_factory.mktemp("photographs")
    rows = []
    for number, (name, top, patch) in enumerate(patches()):
        (root / name).mkdir(exist_ok=True)
        Image.fromarray(patch).save(root / name / f"{number:04}.jpg", quality=95)
        rows.append(f"{name}/{number:04}.jpg,{name},{top}")
    make_table(root, rows, "patches.csv", "file,photograph,pixels below top")
    return root


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "arguments", "recipe", "output"),
    [
        ("folders", [], "photos_cnn", "class"),
        ("patches.csv", ["--target", "photograph"], "photos_cnn", "class"),
        ("patches.csv", ["--target", "pixels below top"], "photos_cnn", "number"),
    ],
)
def test_from_photographs_to_predictions(
    place: str, arguments: list[str], recipe: str, output: str, in_project: Project, photographs: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(photographs, tmp_path / "photographs")
    (root / "folders").mkdir()
    for name in ("china", "flower"):
        (root / "folders" / name).symlink_to(root / name)
    add(root / place, "photos", "--follow-links", *arguments)
    in_project.commit("Photographs")
    clone = in_project.copy(tmp_path / "clone")
    small_and_short(clone, recipe, epochs=6)

    clone.repro(f"plot@{recipe}", "compare@photos")
    predicted = clone.run("image-recipes", "predict", recipe, str(root / "china"), str(root / "flower")).stdout

    metrics = json.loads((clone.root / f"metrics/photos/{recipe}.json").read_text("utf-8"))
    table = pd.read_csv(io.StringIO(predicted))
    assert len(table) == len(patches())
    if output == "class":
        real = table["path"].map(lambda path: Path(path).parent.name)
        # always the more frequent one is right for half of them
        assert metrics["test_accuracy"] > 0.8
        assert (table["class"] == real).mean() > 0.8
    else:
        tops = [top for _, top, _ in patches()]
        assert metrics["test_r2"] > 0.3
        assert np.corrcoef(table["number"], tops)[0, 1] > 0.6
        assert set(table["unit"]) == {"pixels below top"}
