"""params.yaml: every mistake is named with its key, before anything is deleted or trained."""

from pathlib import Path

import pytest
from conftest import ROOT, TINY_PARAMS, Project
from dvc.utils.serialize import modify_yaml

from image_recipes.checks import check_params, check_raw_files
from image_recipes.errors import UserError
from image_recipes.params import load_architecture, load_recipe, load_seed, read_params
from image_recipes.sources import load_dataset

BAD_PARAMS = {
    "unknown dataset": ("dataset: mnist", "dataset: mnits", ["recipes.tiny_class.dataset", "did you mean 'mnist'?"]),
    "unknown architecture": (
        "architecture: small",
        "architecture: smal",
        ["recipes.tiny_class.architecture", "did you mean 'small'?"],
    ),
    "zero epochs": ("epochs: 2", "epochs: 0", ["recipes.tiny_class.epochs: give at least 1, not 0"]),
    "negative epochs": ("epochs: 2", "epochs: -3", ["recipes.tiny_class.epochs: give at least 1, not -3"]),
    "text as epochs": ("epochs: 2", "epochs: two", ["recipes.tiny_class.epochs: give a whole number, not 'two'"]),
    "half an epoch": ("epochs: 2", "epochs: 2.5", ["recipes.tiny_class.epochs: give a whole number, not 2.5"]),
    "no epochs": ("    epochs: 2\n", "", ["recipes.tiny_class.epochs: missing: add it"]),
    "large batch": (
        "epochs: 2\n    batch_size: 32",
        "epochs: 2\n    batch_size: 300",
        ["recipes.tiny_class.batch_size: 300 is more than the 200 training pictures of mnist: lower it"],
    ),
    "too many training pictures": (
        "train: 200",
        "train: 59950",
        ["datasets.mnist: split: train + validation is 60,010, but MNIST has 60,000 training pictures"],
    ),
    "too many test pictures": (
        "test: 60",
        "test: 10001",
        ["datasets.mnist: split: test is 10,001, but MNIST has 10,000"],
    ),
    "empty split": ("test: 60", "test: 0", ["datasets.mnist.split.test: give at least 1, not 0"]),
    "unknown precision": (
        "precision: float32",
        "precision: float16",
        ["recipes.tiny_class.precision: give 'float32' or 'mixed_bfloat16', not 'float16'"],
    ),
    "no precision": ("    precision: float32\n", "", ["recipes.tiny_class.precision: missing: add it"]),
    "unknown jit_compile": (
        "jit_compile: auto",
        "jit_compile: always",
        ["recipes.tiny_class.jit_compile: give 'auto', True or False, not 'always'"],
    ),
    "number as jit_compile": ("jit_compile: auto", "jit_compile: 2", ["recipes.tiny_class.jit_compile: give", "not 2"]),
    "unused dataset": ("dataset: dots", "dataset: mnist", ["datasets.dots: no recipe uses it"]),
    "unknown key in a recipe": (
        "epochs: 2",
        "epoch: 2",
        ["recipes.tiny_class: unknown key 'epoch': did you mean 'epochs'?"],
    ),
    "unknown key in a split": ("validation: 60", "valid: 60", ["datasets.mnist.split: unknown key 'valid'"]),
    "unknown key in a dataset": ("samples: train", "sample: train", ["datasets.dots: unknown key 'sample'"]),
    "unknown key at the top": ("seed: 0\ndatasets", "sead: 0\ndatasets", ["unknown key 'sead': did you mean 'seed'?"]),
    "unknown source": ("source: mnist", "source: minst", ["datasets.mnist.source", "did you mean 'mnist'?"]),
    "wrong task": ("task: classification", "task: regression", ["datasets.mnist.task: give 'classification'"]),
    "negative seed": ("seed: 0\ndatasets", "seed: -1\ndatasets", ["params.yaml: seed: give at least 0, not -1"]),
    "no learning rate": (
        "learning_rate: 0.1",
        "momentum: 0.9",
        ["recipes.tiny_class.optimizer.learning_rate: missing"],
    ),
    "learning rate of zero": ("learning_rate: 0.1", "learning_rate: 0", ["learning_rate: give more than 0"]),
    "learning rate as text": (
        "learning_rate: 0.1",
        "learning_rate: fast",
        ["learning_rate: give a number, not 'fast'"],
    ),
    "schedule without a name": ("name: CosineDecay", "nam: CosineDecay", ["optimizer.learning_rate.name: missing"]),
    "two layers in one item": ("    - Flatten:", "    - Flatten:\n      Dense:", ["architectures.small.2: a layer is"]),
    "architecture of no layers": (
        TINY_PARAMS[TINY_PARAMS.index("  pool:") :],
        "  pool: []\n",
        ["architectures.pool: give at least one"],
    ),
    "recipe that is no mapping": (
        TINY_PARAMS[TINY_PARAMS.index("  tiny_number:") : TINY_PARAMS.index("architectures:")],
        "  tiny_number: 3\n",
        ["recipes.tiny_number: give a mapping of keys, not 3"],
    ),
    "name with a dash": ("  tiny_class:", "  tiny-class:", ["name 'tiny-class': use letters, digits and underscores"]),
    "name of a folder": ("  tiny_class:", "  history:", ["name 'history' is taken"]),
    "no recipes": (
        TINY_PARAMS[TINY_PARAMS.index("recipes:") : TINY_PARAMS.index("architectures:")],
        "recipes:\n",
        ["recipes: give a mapping"],
    ),
    "list as a dataset": (
        "dataset: mnist",
        "dataset: [mnist]",
        ["recipes.tiny_class.dataset: give a text, not a list"],
    ),
    "list as a source": ("source: mnist", "source: [mnist]", ["datasets.mnist.source: no source ['mnist']"]),
    "number as a name": ("  tiny_class:", "  true:", ["name True: use letters"]),
    "number as an argument's name": ("filters: 4", "4: 4", ["architectures.small.0: a layer is"]),
    "infinite learning rate": ("learning_rate: 0.1", "learning_rate: .inf", ["learning_rate: give a finite number"]),
    "half a seed": ("seed: 0\ndatasets", "seed: 1.5\ndatasets", ["params.yaml: seed: give a whole number, not 1.5"]),
    "empty path": ("raw: data/raw/mnist.npz", "raw: ''", ["datasets.mnist.raw: give a text, not an empty one"]),
    "too large a grid": ("size: 8", "size: 101", ["datasets.dots.size: give at most 100, not 101"]),
    "unknown and missing": (
        "epochs: 2",
        "epoch: 2\n    batches: 3",
        ["unknown key 'epoch'", "unknown key 'batches'", "recipes.tiny_class.epochs: missing"],
    ),
    "broken YAML": ("seed: 0\n", "seed: 0\n  datasets: [\n", ["params.yaml, line 2: not valid YAML"]),
    "same key twice": ("seed: 0\n", "seed: 0\nseed: 1\n", ["params.yaml, line 2: not valid YAML", "duplicate key"]),
}


@pytest.mark.parametrize("case", BAD_PARAMS)
def test_a_mistake_is_named(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, expected = BAD_PARAMS[case]
    assert old in TINY_PARAMS
    (tmp_path / "params.yaml").write_text(TINY_PARAMS.replace(old, new, 1), "utf-8")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError) as caught:
        check_params()

    for text in expected:
        assert text in str(caught.value)
    # other mistakes may follow from one, but each has a line of its own
    assert all(line.startswith("params.yaml") for line in str(caught.value).splitlines())


def test_how_steps_are_run_is_read_as_given(in_project: Project) -> None:
    in_project.edit("params.yaml", "jit_compile: auto", "jit_compile: false")
    in_project.edit("params.yaml", "precision: float32", "precision: mixed_bfloat16")

    assert load_recipe("tiny_class").jit_compile is False
    assert load_recipe("tiny_class").precision == "mixed_bfloat16"


def test_every_mistake_gets_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = TINY_PARAMS.replace("epochs: 2", "epochs: 0").replace("epochs: 3", "epochs: x").replace("size: 8", "size: 0")
    (tmp_path / "params.yaml").write_text(bad, "utf-8")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError) as caught:
        check_params()

    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert keys == ["datasets.dots.size", "recipes.tiny_class.epochs", "recipes.tiny_number.epochs"]


def test_the_project_s_own_params_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    recipes = check_params()

    check_raw_files(None)
    assert recipes == {
        "mnist": ["mnist_mlp", "mnist_cnn", "mnist_deep_cnn", "mnist_fast"],
        "dots": ["dots_mlp", "dots_cnn", "dots_pool"],
    }


def test_an_experiment_s_diff_shows_just_what_it_changed(tmp_path: Path) -> None:
    # DVC writes the file anew; ours is laid out as it does that
    file = tmp_path / "params.yaml"
    before = (ROOT / "params.yaml").read_text("utf-8")
    file.write_text(before, "utf-8")

    with modify_yaml(str(file)) as params:
        params["recipes"]["dots_mlp"]["epochs"] = 7
        params["architectures"]["cnn"][0]["Conv2D"]["filters"] = 64

    after = file.read_text("utf-8").splitlines()
    changed = [pair for pair in zip(before.splitlines(), after, strict=True) if pair[0] != pair[1]]
    assert changed == [("    epochs: 1000", "    epochs: 7"), ("      filters: 32", "      filters: 64")]


def test_the_lectures_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    settings = {
        "mnist_mlp": ("SGD", 0.01, 30),
        "mnist_cnn": ("SGD", 0.01, 30),
        "mnist_deep_cnn": ("SGD", 0.01, 30),
        "dots_mlp": ("Adam", 0.001, 1000),
        "dots_cnn": ("Adam", 0.001, 1000),
    }
    for name, (optimizer, rate, epochs) in settings.items():
        recipe = load_recipe(name)
        assert (recipe.optimizer.name, recipe.optimizer.learning_rate, recipe.epochs) == (optimizer, rate, epochs)
        assert recipe.batch_size == 32
    assert load_dataset("mnist").split.model_dump() == {"train": 50_000, "validation": 10_000, "test": 10_000}
    assert (load_dataset("dots").split.train, load_dataset("dots").split.validation) == (1_500, 300)


def test_sections_load_on_their_own(in_project: Project) -> None:
    in_project.edit("params.yaml", "epochs: 3", "epochs: none at all")

    # a mistake in another recipe is the stage check's business
    assert load_recipe("tiny_class").epochs == 2
    assert load_seed() == 0
    assert [layer.class_name for layer in load_architecture("small")] == ["Conv2D", "Dropout", "Flatten"]


def test_an_unknown_name_suggests_the_nearest(in_project: Project) -> None:
    with pytest.raises(UserError, match=r"recipes: no recipe 'tiny_clas': did you mean 'tiny_class'\?"):
        load_recipe("tiny_clas")


def test_numbers_are_read_as_dvc_reads_them(in_project: Project) -> None:
    in_project.edit("params.yaml", "learning_rate: 0.1", "learning_rate: 1e-1")

    assert load_recipe("tiny_class").optimizer.learning_rate == 0.1


def test_outside_a_project_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError, match=r"params\.yaml: not found: run this in the project's folder"):
        read_params()


def test_a_missing_raw_file_is_named(in_project: Project) -> None:
    (in_project.root / "data/raw/mnist.npz").unlink()

    with pytest.raises(UserError, match=r"data/raw/mnist\.npz: not found.*git checkout"):
        check_raw_files(None)


def test_an_invalid_recipe_does_not_make_its_dataset_unused(in_project: Project) -> None:
    in_project.edit("params.yaml", "epochs: 3", "epochs: 0")

    with pytest.raises(UserError) as caught:
        check_params()

    assert str(caught.value).splitlines() == ["params.yaml: recipes.tiny_number.epochs: give at least 1, not 0"]


def test_leftovers_of_a_recipe_are_named(project: Project) -> None:
    assert project.run("image-recipes", "check").stderr == ""
    for name in ["old", "tiny_class"]:
        (project.root / "metrics/mnist").mkdir(parents=True, exist_ok=True)
        (project.root / f"metrics/mnist/{name}.json").write_text("{}", "utf-8")

    note = project.run("image-recipes", "check").stderr

    assert note == "note: left from recipes that are gone; to remove: rm metrics/mnist/old.json\n"


def test_the_command_checks_without_tensorflow(project: Project) -> None:
    project.run("image-recipes", "check", "tiny_class")
    assert "did you mean 'tiny_class'?" in project.fails("image-recipes", "check", "tiny_clazz")
    loaded = project.run(
        "python", "-c", "import sys, image_recipes.cli; print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    assert loaded.stdout.split() == ["False", "False"]
