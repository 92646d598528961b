"""`image-recipes check`: quick, and before anything runs."""

import pytest

from image_recipes.commands.check import check_project
from image_recipes.core.errors import UserError
from projects import Project


def test_leftovers_of_a_recipe_are_named(in_bare_project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ["data/raw/mnist.npz", "data/raw/generated", "data/weights/random"]:
        (in_bare_project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (in_bare_project.root / name).touch()
    assert check_project([]) == {"mnist": ["tiny_class"], "dots": ["tiny_number"]}
    assert capsys.readouterr().err == ""
    (in_bare_project.root / "metrics/mnist").mkdir(parents=True)
    for name in ["old", "tiny_class"]:
        (in_bare_project.root / f"metrics/mnist/{name}.json").write_text("{}", "utf-8")

    assert check_project(["tiny_class"]) == {"mnist": ["tiny_class"]}

    note = capsys.readouterr().err
    assert note == "note: left from recipes that are gone; to remove: rm metrics/mnist/old.json\n"


def test_a_dataset_stands_for_its_recipes(in_bare_project: Project) -> None:
    with pytest.raises(UserError, match=r"data/raw/generated: not found, but datasets\.dots\.raw names it"):
        check_project(["dots"])
    for name in ["data/raw/generated", "data/weights/random"]:
        (in_bare_project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (in_bare_project.root / name).touch()

    # those of mnist are not asked for
    assert check_project(["dots"]) == check_project(["tiny_number", "dots"]) == {"dots": ["tiny_number"]}
    with pytest.raises(UserError, match=r"params\.yaml: no recipe or dataset 'dotz': did you mean 'dots'\?"):
        check_project(["tiny_number", "dotz"])


def test_the_command_checks_without_tensorflow(finished: Project) -> None:
    assert "did you mean 'tiny_class'?" in finished.fails("image-recipes", "check", "tiny_clazz")
    program = """
import sys
from image_recipes.cli import app
app(["check", "tiny_class"], standalone_mode=False)
print("tensorflow" in sys.modules, "keras" in sys.modules)
"""
    assert finished.run("python", "-c", program).stdout.split() == ["False", "False"]
