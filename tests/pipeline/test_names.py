"""Names from params.yaml that a shell would run, were they in a command of dvc.yaml."""

import pytest
from ruamel.yaml import YAML

from projects import Project, load_yaml

# DVC splits a command into lines, whatever its quotes
HOSTILE = [
    *("$(touch ran)", "`touch ran`", "a; touch ran", "a & touch ran", "a | touch ran", "a > ran"),
    *("a' ; touch ran ; '", 'a" ; touch ran ; "', "a\ntouch ran\n", "-h", "$HOME", "a b"),
]
REFUSED = "use letters, digits and underscores, a letter first"


def add_names(project: Project, section: str, model: str) -> None:
    """Write datasets or recipes of hostile names into params.yaml, each as the one that is there."""
    params = load_yaml(project.root / "params.yaml")
    params[section] |= {name: params[section][model] for name in HOSTILE}
    with (project.root / "params.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(params, file)


def test_a_dataset_s_name_runs_nothing(project: Project) -> None:
    project.run("dvc", "repro", "check")
    add_names(project, "datasets", "dots")

    output = project.fails("dvc", "repro", "--single-item", "--keep-going", *(f"prepare@{name}" for name in HOSTILE))

    assert output.count(REFUSED) == len(HOSTILE)
    assert not (project.root / "ran").exists()


@pytest.mark.slow
def test_a_recipe_s_name_runs_nothing(playground: Project) -> None:
    add_names(playground, "recipes", "tiny_number")

    output = playground.fails("dvc", "repro", "--single-item", "--keep-going", *(f"train@{name}" for name in HOSTILE))

    assert output.count(REFUSED) == len(HOSTILE)
    assert not (playground.root / "ran").exists()


def test_a_stage_gets_its_name_wherever_dvc_is_called(project: Project) -> None:
    project.run("dvc", "repro", "check")
    folder = project.root / "some@where"
    folder.mkdir()

    project.run("env", "--chdir", str(folder), "dvc", "repro", "--single-item", "../dvc.yaml:prepare@dots")

    assert (project.root / "data/prepared/dots/images.npy").exists()
