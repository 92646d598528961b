"""`image-recipes new`: a project of one's own, that works."""

import shutil
import subprocess
from pathlib import Path

import pytest

from calling import call, call_fails
from pictures import make_folder
from projects import Project, load_yaml

# as if .venv were up to date
MAKE = ("make", "--old-file=.venv/.installed")


@pytest.fixture
def in_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A tiny project in which nothing has run yet, as the current folder; Git knows who is there."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.com")
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture
def made(in_project: Project) -> Project:
    """A project made by the command."""
    call("new", "../my plants")
    return Project(in_project.root.parent / "my plants")


def test_a_project_is_made_and_committed(in_project: Project) -> None:
    lines = call("new", "../my plants").stdout.splitlines()

    assert lines == [
        "../my plants: a project of your own, with a first commit",
        "next: cd '../my plants' && make weights && source .venv/bin/activate",
        "next: image-recipes add PATH --name NAME",
        "next: make repro",
    ]
    made = Project(in_project.root.parent / "my plants")
    assert made.run("git", "status", "--porcelain").stdout == ""
    assert len(made.run("git", "log", "--oneline").stdout.splitlines()) == 1
    empty: dict = {"datasets": {}, "recipes": {}, "architectures": {}}
    assert load_yaml(made.root / "params.yaml") == {"seed": 0, "heatmaps": True, **empty}
    files = made.run("git", "ls-files").stdout.splitlines()
    assert (made.root / "README.ko.md").read_text("utf-8").startswith("# my plants\n")
    assert {"dvc.yaml", "stages/train.py", "image_recipes/cli.py", "data/weights/random", "LICENSE"} <= set(files)
    assert not [name for name in files if name.startswith(("tests", "benchmarks", "lesson", "metrics", "plots"))]
    assert not {"dvc.lock", "data/raw/mnist.npz", "develop.mk"} & set(files)
    assert [path.name for path in in_project.root.parent.iterdir() if path.name.startswith(".")] == []


def test_before_pictures_are_added_it_says_what_to_do(made: Project) -> None:
    listed = made.run("make").stdout
    assert [line.split()[1] for line in listed.splitlines()] == [
        "help",
        "install",
        "extras",
        "repro",
        "search",
        "weights",
    ]
    for command in ([*MAKE, "repro"], ["dvc", "repro"]):
        output = made.fails(*command)
        (line,) = [line for line in output.splitlines() if line.startswith("error: ")]
        assert line == "error: params.yaml: datasets: none yet: add one by `image-recipes add PATH --name NAME`"
    assert made.run("dvc", "stage", "list", "--name-only").stdout.split() == ["check", "report"]


def test_pictures_are_added(made: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.root)

    call("add", str(make_folder(tmp_path / "leaves", {"fern": 12, "moss": 12})), "--name", "leaves")

    call("check", "leaves")
    assert "train@leaves_cnn" in made.run("dvc", "stage", "list", "--name-only").stdout
    call("remove", "leaves", "--raw")
    assert made.run("git", "status", "--porcelain").stdout == ""


def test_weights_are_brought_along(in_project: Project) -> None:
    Path("data/weights/MobileNetV2.weights.h5").write_bytes(b"stands for weights")
    Path("data/weights/Xception.weights.h5.dvc").write_text("outs: []\n", "utf-8")
    in_project.run("dvc", "add", "data/weights/MobileNetV2.weights.h5")

    assert "weights to start from: MobileNetV2.weights.h5\n" in call("new", "../plants").stdout

    made = Project(in_project.root.parent / "plants")
    assert (made.root / "data/weights/MobileNetV2.weights.h5").read_bytes() == b"stands for weights"
    weights = made.run("git", "ls-files", "data/weights").stdout.split()
    assert weights == [
        "data/weights/.gitignore",
        "data/weights/MobileNetV2.weights.h5.dvc",
        "data/weights/random",
    ]
    (made.root / "data/weights/MobileNetV2.weights.h5").unlink()
    made.run("dvc", "checkout", "data/weights/MobileNetV2.weights.h5.dvc")
    assert (made.root / "data/weights/MobileNetV2.weights.h5").exists()


def test_an_empty_folder_is_filled(in_project: Project) -> None:
    Path("../plants").mkdir()

    call("new", "../plants")

    assert Path("../plants/dvc.yaml").exists()


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("plants", "plants: lies in this project: name a folder outside of it"),
        (".", ".: lies in this project"),
        ("..", "..: is there, and not an empty folder: choose another name"),
        ("../full", "../full: is there, and not an empty folder"),
        ("../full/file", "../full/file: is there, and not an empty folder"),
        ("../a:b", "'../a:b': no name for a project"),
        ("../.git", "'../.git': no name for a project"),
        ("../a\nb", r"'../a\nb': no name for a project"),
        ("../full:er/plants", "'/"),
        ("../no/plants", "../no/plants: there is no folder "),
    ],
)
def test_a_place_where_no_project_can_be_is_named(folder: str, message: str, in_project: Project) -> None:
    Path("../full").mkdir()
    Path("../full/file").touch()
    # a colon divides the entries of PATH
    Path("../full:er").mkdir()
    before = sorted(Path("..").rglob("*"))

    (line,) = call_fails("new", folder).splitlines()

    assert line.startswith(f"error: {message}")
    assert ("no name for a project" in line) == (message[0] == "'")
    assert sorted(Path("..").rglob("*")) == before


def test_where_nothing_may_be_written_is_named(in_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    # root may write everywhere
    monkeypatch.setattr("os.access", lambda path, mode: False)

    assert call_fails("new", "../plants").startswith("error: ../plants: you may not write in ")


def test_git_has_to_know_who_commits(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.useConfigOnly")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")

    (line,) = call_fails("new", "../plants").splitlines()

    assert "Git does not know who you are" in line
    assert "git config --global user.name" in line
    assert [path.name for path in Path("..").iterdir()] == ["project"]


def test_what_git_says_is_passed_on(in_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "commit.gpgSign")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    monkeypatch.setenv("GNUPGHOME", str(Path.cwd()))

    (line,) = call_fails("new", "../plants").splitlines()

    assert line.startswith("error: git commit failed, so no project was made: ")
    assert not Path("../plants").exists()


@pytest.mark.slow
def test_it_runs_from_the_first_pictures_to_a_clone(made: Project, tmp_path: Path) -> None:
    made.run(
        "image-recipes", "add", str(make_folder(tmp_path / "leaves", {"fern": 30, "moss": 30})), "--name", "leaves"
    )
    params = (made.root / "params.yaml").read_text("utf-8")
    (made.root / "params.yaml").write_text(params.replace("epochs: 100", "epochs: 20"), "utf-8")

    made.run(*MAKE, "repro")

    assert (made.root / "plots/report.html").exists()
    assert (made.root / "metrics/compare/leaves.md").exists()
    made.run("dvc", "remote", "add", "--default", "storage", str(tmp_path / "storage"))
    made.commit("Results")
    made.run("dvc", "push")
    subprocess.run(["git", "clone", "--quiet", str(made.root), str(tmp_path / "second")], check=True)
    second = Project(tmp_path / "second")
    second.run("dvc", "pull")
    assert second.repro() == set()
    # the last dataset goes, and with it every trace
    second.run("image-recipes", "remove", "leaves", "--raw")
    assert second.run("git", "diff", "HEAD~1", "--stat", "--", "params.yaml", "data", "metrics", "plots").stdout == ""
    shutil.rmtree(second.root / ".dvc/cache")
    assert "ERROR" not in second.run("dvc", "repro", "--dry").stderr
