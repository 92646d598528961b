"""`image-recipes remove`: a dataset or a recipe goes without a trace, and nothing else does."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.dvcfile import Lockfile
from dvc.stage import Stage
from ruamel.yaml import YAML

from calling import call, call_fails
from image_recipes.core.files import write_text
from image_recipes.core.locks import LOCKS_FOLDER
from image_recipes.core.params import PARAMS_FILE
from image_recipes.results.learning_curve import curve_file, curve_plot
from image_recipes.results.searches import SEARCHES_FOLDER, list_trials, search_plots, table_file, trial_file
from image_recipes.results.seeds import seeds_file
from pictures import make_folder
from projects import TINY_PARAMS, Project, load_yaml

SECOND = """\
  second:
    dataset: mnist
    architecture: pool
    start_from: data/weights/random
    epochs: 1
    batch_size: 50
    precision: float32
    jit_compile: auto
    optimizer:
      name: RMSprop
      learning_rate: 0.01
"""


@pytest.fixture
def in_playground(playground: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A tiny project with committed results, to be changed at will, as the current folder."""
    monkeypatch.chdir(playground.root)
    return playground


@pytest.fixture
def with_leaves(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A tiny project in which nothing has run yet, with pictures of one's own, as the current folder."""
    monkeypatch.chdir(project.root)
    call("add", str(make_folder(tmp_path / "leaves", {"fern": 12, "moss": 12})), "--name", "leaves")
    return project


def files(project: Project) -> set[str]:
    """List the project's own files, but the lock of params.yaml, which stays for the next command."""
    found = {path.relative_to(project.root) for path in project.root.rglob("*") if path.is_file()}
    found -= {LOCKS_FOLDER / f"{PARAMS_FILE.name}.lock"}
    return {path.as_posix() for path in found if not {".git", ".dvc", "__pycache__"} & set(path.parts)}


def would_run(project: Project) -> set[str]:
    """Return the names of the stages that `dvc repro` would run."""
    output = project.run("dvc", "repro", "--dry").stdout
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}


def test_a_dataset_goes_with_all_that_it_left(in_playground: Project) -> None:
    # of a recipe that went before
    Path("metrics/dots/old.json").touch()
    Path("data/features/dots").mkdir(parents=True)
    Path("data/features/dots/hash.npy").touch()
    for file in (curve_file("tiny_number"), curve_plot("tiny_number")):
        file.parent.mkdir(parents=True)
        file.touch()
    lock = load_yaml(Path("dvc.lock"))["stages"]

    said = call("remove", "dots").stdout

    assert "params.yaml: datasets: without dots\nparams.yaml: recipes: without tiny_number\n" in said
    assert "params.yaml: architectures: without pool\n" in said
    assert "models/tiny_number.keras: removed\n" in said
    assert "data/raw/generated: stays; it was not added by `image-recipes add`\n" in said
    assert said.endswith("next: make repro\n")
    # what is of the whole project is made again by the next run
    left = {name for name in files(in_playground) if "dots" in name or "tiny_number" in name}
    assert {name for name in left if not name.startswith(("image_recipes/", "tests/", "docs/"))} == {
        "data/checked/dots.txt"
    }
    assert Path("params.yaml").read_text("utf-8") == (
        TINY_PARAMS[: TINY_PARAMS.index("  dots:")]
        + TINY_PARAMS[TINY_PARAMS.index("recipes:") : TINY_PARAMS.index("  tiny_number:")]
        + TINY_PARAMS[TINY_PARAMS.index("architectures:") : TINY_PARAMS.index("  pool:")]
    )
    gone = lock.keys() - load_yaml(Path("dvc.lock"))["stages"].keys()
    assert gone == {f"{stage}@dots" for stage in ["prepare", "split", "baseline", "compare", "suspects"]} | {
        f"{stage}@tiny_number" for stage in ["train", "evaluate", "plot", "heatmaps"]
    }
    assert would_run(in_playground) == {"check", "report"}


def test_pictures_in_data_raw_stay_unless_they_are_not_wanted(with_leaves: Project) -> None:
    said = call("remove", "leaves").stdout

    assert "data/raw/leaves: stays; to remove it too: image-recipes remove leaves --raw\n" in said
    assert len(list(Path("data/raw/leaves").rglob("*.png"))) == 24
    assert Path("params.yaml").read_text("utf-8") == TINY_PARAMS
    call("check")

    # once only they are left
    assert call("remove", "leaves", "--raw").stdout == "data/raw/leaves: removed\nnext: make repro\n"
    assert with_leaves.run("git", "status", "--porcelain", "--untracked-files=all").stdout == ""
    assert not Path("data/raw/leaves").exists()
    assert "no dataset or recipe 'leaves'" in call_fails("remove", "leaves", "--raw")


def test_pictures_that_another_dataset_is_made_from_stay(with_leaves: Project) -> None:
    params = load_yaml(Path("params.yaml"))
    params["datasets"]["ferns"] = {**params["datasets"]["leaves"], "raw": "data/raw/leaves/fern"}
    params["recipes"]["ferns_cnn"] = {**params["recipes"]["leaves_cnn"], "dataset": "ferns"}
    with Path("params.yaml").open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(params, stream)

    said = call("remove", "leaves", "--raw").stdout

    assert "data/raw/leaves: stays; ferns is made from it\n" in said
    assert len(list(Path("data/raw/leaves").rglob("*.png"))) == 24


def test_links_to_pictures_go_and_the_pictures_stay(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    folder = make_folder(tmp_path / "leaves", {"fern": 12, "moss": 12})
    call("add", str(folder), "--name", "leaves", "--link")

    call("remove", "leaves", "--raw")

    assert len(list(folder.rglob("*.png"))) == 24
    assert project.run("git", "status", "--porcelain", "--untracked-files=all").stdout == ""


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("\n", 24)])
def test_on_a_terminal_it_is_asked(answer: str, left: int, with_leaves: Project) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())

    done = subprocess.run(
        [str(Path(sys.executable).parent / "image-recipes"), "remove", "leaves"],
        stdin=theirs,
        text=True,
        capture_output=True,
        check=True,
    )

    assert "Remove data/raw/leaves too, the pictures that were added? [y/N]:" in done.stdout
    assert len(list(Path("data/raw").rglob("*.png"))) == left
    assert Path("params.yaml").read_text("utf-8") == TINY_PARAMS


def test_a_dry_run_changes_nothing(in_playground: Project) -> None:
    before = files(in_playground)

    said = call("remove", "dots", "--raw", "--dry-run").stdout

    assert "data/prepared/dots: removed\n" in said
    assert said.endswith("nothing was changed\n")
    assert files(in_playground) == before
    assert in_playground.run("git", "status", "--porcelain").stdout == ""


def test_the_same_command_goes_on_after_one_that_was_stopped(
    in_playground: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_stage, calls = Lockfile.remove_stage, iter(range(5))

    def stop(lockfile: Lockfile, stage: Stage) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        remove_stage(lockfile, stage)

    with monkeypatch.context() as patch:
        patch.setattr(Lockfile, "remove_stage", stop)
        call_fails("remove", "dots", exit_code=130)
    assert not Path("models/tiny_number.keras").exists()
    assert Path("params.yaml").read_text("utf-8") == TINY_PARAMS

    call("remove", "dots")

    assert "dots" not in Path("params.yaml").read_text("utf-8")
    assert not {stage for stage in load_yaml(Path("dvc.lock"))["stages"] if stage.endswith(("@dots", "@tiny_number"))}
    assert would_run(in_playground) == {"check", "report"}


@pytest.mark.parametrize(
    ("name", "start_from", "message"),
    [
        ("dotz", None, "params.yaml: no dataset or recipe 'dotz': did you mean 'dots'?"),
        ("tiny_numbr", None, "no dataset or recipe 'tiny_numbr': did you mean 'tiny_number'?"),
        ("generated", None, "no dataset or recipe 'generated'"),
        ("../dots", None, "no dataset or recipe '../dots'"),
        (
            "tiny_class",
            None,
            "recipes.tiny_class is the only one of mnist: add another one there, "
            "or remove both by `image-recipes remove mnist`",
        ),
        (
            "mnist",
            "models/tiny_class.keras",
            "recipes.tiny_number.start_from: tiny_number starts from models/tiny_class.keras, which is to be removed: "
            "change that first, or remove tiny_number",
        ),
    ],
)
def test_what_cannot_go_is_named(name: str, start_from: str | None, message: str, in_bare_project: Project) -> None:
    if start_from:
        old = "dots\n    architecture: pool\n    start_from: data/weights/random"
        in_bare_project.edit("params.yaml", old, old.replace("data/weights/random", start_from))
    before = Path("params.yaml").read_text("utf-8")

    assert message in call_fails("remove", name)

    assert Path("params.yaml").read_text("utf-8") == before


def test_nothing_goes_where_params_cannot_be_changed(with_leaves: Project) -> None:
    with_leaves.edit("params.yaml", "  leaves_cnn:", "  'leaves_cnn' :")
    text = Path("params.yaml").read_text("utf-8")
    Path("params.yaml").write_text(json.dumps(load_yaml(Path("params.yaml"))), "utf-8")

    assert "params.yaml: cannot be changed: give each key a line of its own" in call_fails("remove", "leaves", "--raw")

    assert Path("data/raw/leaves.dvc").exists()
    # however a key is written
    Path("params.yaml").write_text(text, "utf-8")
    call("remove", "leaves", "--raw")
    assert Path("params.yaml").read_text("utf-8") == TINY_PARAMS


def test_a_recipe_that_others_start_from_is_named(in_bare_project: Project) -> None:
    third = SECOND.replace("second", "third").replace("data/weights/random", "models/second.keras")
    in_bare_project.edit("params.yaml", "architectures:", SECOND + third + "architectures:")

    assert "third starts from models/second.keras, which is to be removed" in call_fails("remove", "second")


@pytest.mark.slow
def test_a_recipe_comes_and_goes_without_a_trace(in_playground: Project) -> None:
    before = files(in_playground)
    in_playground.edit("params.yaml", "architectures:", f"  # a second one\n{SECOND}architectures:")
    in_playground.repro()
    assert {"models/second.keras", "plots/second/gallery.png"} <= files(in_playground)

    said = call("remove", "second").stdout

    assert "params.yaml: recipes: without second\n" in said
    # another recipe uses it
    assert "architectures" not in said
    assert "data/raw" not in said
    assert Path("params.yaml").read_text("utf-8") == TINY_PARAMS
    assert not [name for name in files(in_playground) if "second" in name]
    assert would_run(in_playground) <= {"check", "compare@mnist", "suspects@mnist", "report"}
    in_playground.repro()
    assert in_playground.run("git", "status", "--porcelain").stdout == ""
    assert files(in_playground) == before


def test_the_searches_of_a_recipe_go_with_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    project.edit("params.yaml", "  tiny_number:\n", f"{SECOND}  tiny_number:\n")
    settings = "metric: val_loss, sampler: random, pruner: none, trials: 1, seeds: 1"
    with PARAMS_FILE.open("a", encoding="utf-8") as file:
        file.write("searches:\n")
        for name, recipe in {"tune": "second", "other": "tiny_class"}.items():
            file.write(f"  {name}: {{recipe: {recipe}, {settings}, space: {{recipes.{recipe}.epochs: [1, 2]}}}}\n")
    for name in ("tune", "other"):
        write_text("{}\n", trial_file(name))
        write_text("x\n", table_file(name))
        write_text("x\n", SEARCHES_FOLDER / f"{name}.journal")
        write_text("x\n", search_plots(name) / "history.png")
    list_trials()
    write_text("x\n", seeds_file("second"))

    call("remove", "second")

    assert list(load_yaml(PARAMS_FILE)["searches"]) == ["other"]
    assert not {name for name in files(project) if "tune" in name or "second" in name}
    assert load_yaml(trial_file("other").with_name("dvc.yaml"))["metrics"] == ["other.json"]
