"""params.yaml: a stage reads its own sections alone, as DVC reads them."""

from pathlib import Path

import pytest
from dvc.utils.serialize import modify_yaml

from image_recipes.core.errors import UserError
from image_recipes.core.params import load_dataset_name, load_seed, read_params, read_section
from projects import ROOT, Project


def test_sections_load_on_their_own(in_bare_project: Project) -> None:
    in_bare_project.edit("params.yaml", "epochs: 3", "epochs: none at all")
    in_bare_project.edit("params.yaml", "source: mnist", "source: nowhere")

    # a mistake elsewhere is the stage check's business
    assert load_seed() == 0
    assert load_dataset_name("tiny_number") == "dots"
    assert read_section("datasets", "mnist", "source") == "nowhere"


@pytest.mark.usefixtures("in_bare_project")
def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match=r"^params\.yaml: recipes: no recipe 'tiny_clas': did you mean 'tiny_class'\?$"):
        load_dataset_name("tiny_clas")
    with pytest.raises(UserError, match=r"^params\.yaml: top level: no key 'sed': did you mean 'seed'\?$"):
        read_section("sed")
    with pytest.raises(UserError, match=r"^params\.yaml: datasets\.dots: no key 'sizes': did you mean 'size'\?$"):
        read_section("datasets", "dots", "sizes")


def test_numbers_are_read_as_dvc_reads_them(in_bare_project: Project) -> None:
    in_bare_project.edit("params.yaml", "learning_rate: 0.1", "learning_rate: 1e-1")

    assert read_section("recipes", "tiny_class", "optimizer", "learning_rate") == 0.1


def test_outside_a_project_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError, match=r"params\.yaml: not found: run this in the project's folder"):
        read_params()


def test_an_experiment_s_diff_shows_just_what_it_changed(tmp_path: Path) -> None:
    # DVC writes the file again; ours is laid out as it does that
    file = tmp_path / "params.yaml"
    before = (ROOT / "params.yaml").read_text("utf-8")
    file.write_text(before, "utf-8")

    with modify_yaml(str(file)) as params:
        params["recipes"]["dots_mlp"]["epochs"] = 7
        params["architectures"]["cnn"][0]["Conv2D"]["filters"] = 64

    after = file.read_text("utf-8").splitlines()
    changed = [pair for pair in zip(before.splitlines(), after, strict=True) if pair[0] != pair[1]]
    assert changed == [("    epochs: 1000", "    epochs: 7"), ("      filters: 32", "      filters: 64")]
