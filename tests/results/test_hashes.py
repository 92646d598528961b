"""Hashes of files and folders, as DVC has them."""

from pathlib import Path

import pytest

from image_recipes.results.hashes import hash_as_dvc
from projects import Project, load_yaml


@pytest.mark.parametrize(
    ("stage", "path"), [("train@tiny_class", "models/tiny_class.keras"), ("prepare@mnist", "data/prepared/mnist")]
)
def test_a_hash_is_that_of_dvc_lock(stage: str, path: str, finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.root)
    outs = {out["path"]: out["md5"] for out in load_yaml(Path("dvc.lock"))["stages"][stage]["outs"]}

    assert hash_as_dvc(Path(path)) == outs[path]


def test_what_is_not_there_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        hash_as_dvc(tmp_path / "none")
