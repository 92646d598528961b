"""A team shares data, models and experiments: Git by a bare repository, DVC by a bucket of S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pictures import make_folder
from projects import Project

boto3 = pytest.importorskip("boto3")
moto = pytest.importorskip("moto.server")


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of S3 with the bucket `team`, whose keys the environment has."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    boto3.client("s3", endpoint_url=address, region_name="us-east-1").create_bucket(Bucket="team")
    yield address
    server.stop()


@pytest.fixture
def shared(playground: Project, endpoint: str, tmp_path: Path) -> Project:
    """A project with results, all of which is pushed."""
    playground.run("dvc", "remote", "add", "--default", "storage", "s3://team/recipes")
    playground.run("dvc", "remote", "modify", "storage", "endpointurl", endpoint)
    playground.commit("Name the remote")
    playground.run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(tmp_path / "team.git"))
    playground.run("git", "remote", "add", "origin", str(tmp_path / "team.git"))
    playground.run("git", "push", "--quiet", "--set-upstream", "origin", "main")
    playground.run("dvc", "push")
    return playground


@pytest.fixture
def second(shared: Project, tmp_path: Path) -> Project:
    """A clone of somebody else, without DVC's cache."""
    shared.run("git", "clone", "--quiet", str(tmp_path / "team.git"), str(tmp_path / "second"))
    second = Project(tmp_path / "second")
    second.run("git", "config", "user.name", "Second")
    second.run("git", "config", "user.email", "second@example.com")
    return second


@pytest.mark.slow
def test_a_clone_gets_models_and_later_pictures_from_s3(shared: Project, second: Project, tmp_path: Path) -> None:
    second.run("dvc", "pull")

    for file in ["models/tiny_class.keras", "data/predictions/dots/tiny_number.csv"]:
        assert (second.root / file).read_bytes() == (shared.root / file).read_bytes()
    assert second.repro() == set()

    leaves = make_folder(tmp_path / "leaves", {"fern": 12, "moss": 12})
    shared.run("image-recipes", "add", str(leaves), "--name", "leaves")
    shared.commit("Add leaves")
    shared.run("git", "push", "--quiet")
    shared.run("dvc", "push")
    second.run("git", "pull", "--quiet")
    second.run("dvc", "pull", "--allow-missing")

    pictures = [path.relative_to(shared.root) for path in (shared.root / "data/raw/leaves").rglob("*.png")]
    assert len(pictures) == 24
    for picture in pictures:
        assert (second.root / picture).read_bytes() == (shared.root / picture).read_bytes()


@pytest.mark.slow
def test_an_experiment_goes_from_clone_to_clone(shared: Project, second: Project) -> None:
    second.run("dvc", "pull", "--allow-missing")
    second.run(
        "dvc", "exp", "run", "--name", "wide", "-S", "architectures.small.0.Conv2D.filters=6", "evaluate@tiny_class"
    )
    trained = (second.root / "models/tiny_class.keras").read_bytes()
    assert trained != (shared.root / "models/tiny_class.keras").read_bytes()

    second.run("dvc", "exp", "push", "origin", "wide")
    shared.run("dvc", "exp", "pull", "origin", "wide")

    assert "wide" in shared.run("dvc", "exp", "show", "--csv").stdout
    shared.run("dvc", "exp", "apply", "wide")
    assert (shared.root / "models/tiny_class.keras").read_bytes() == trained
    assert "filters: 6" in (shared.root / "params.yaml").read_text("utf-8")
    assert shared.repro("evaluate@tiny_class") == set()
