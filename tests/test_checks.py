"""The check of params.yaml: every mistake is named with its key, before anything is deleted or trained."""

import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from image_recipes.checks import check_params, check_raw_files, find_leftovers
from image_recipes.core.errors import UserError
from projects import ROOT, TINY_PARAMS, Project

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
    "no mapping": (
        "recipes:\n",
        "recipes:\nothers:\n",
        ["params.yaml: recipes: give a mapping of names, or {} for none"],
    ),
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
    "name of the folder of curves": ("  tiny_class:", "  learning_curve:", ["name 'learning_curve' is taken"]),
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
    "no word on heat maps": (
        "heatmaps: true\n",
        "",
        ["params.yaml: heatmaps: missing: add `heatmaps: true`, or false for none"],
    ),
    "heat maps by a number": ("heatmaps: true", "heatmaps: 1", ["params.yaml: heatmaps: give true or false, not 1"]),
    "heat maps by a word": (
        "heatmaps: true",
        "heatmaps: off",
        ["params.yaml: heatmaps: give true or false, not 'off'"],
    ),
    "half a seed": ("seed: 0\ndatasets", "seed: 1.5\ndatasets", ["params.yaml: seed: give a whole number, not 1.5"]),
    "empty path": ("raw: data/raw/mnist.npz", "raw: ''", ["datasets.mnist.raw: give a text, not an empty one"]),
    "too large a grid": ("size: 8", "size: 101", ["datasets.dots.size: give at most 100, not 101"]),
    "unknown and missing": (
        "epochs: 2",
        "epoch: 2\n    batches: 3",
        ["unknown key 'epoch'", "unknown key 'batches'", "recipes.tiny_class.epochs: missing"],
    ),
    "broken YAML": ("seed: 0\n", "seed: 0\n  datasets: [\n", ["params.yaml, line 3: not valid YAML"]),
    "same key twice": ("seed: 0\n", "seed: 0\nseed: 1\n", ["params.yaml, line 3: not valid YAML", "duplicate key"]),
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

    check_raw_files(recipes)
    assert recipes == {
        "mnist": ["mnist_mlp", "mnist_cnn", "mnist_deep_cnn", "mnist_fast", "mnist_quick", "mnist_small"],
        "dots": ["dots_mlp", "dots_cnn", "dots_pool", "dots_few"],
    }


def test_a_missing_raw_file_is_named(in_bare_project: Project) -> None:
    with pytest.raises(
        UserError, match=r"data/raw/mnist\.npz: not found, but datasets\.mnist\.raw .*git checkout data"
    ):
        check_raw_files(check_params())
    # of a recipe, its own dataset alone is looked at, and what it starts from
    with pytest.raises(UserError, match=r"data/raw/generated: not found, but datasets\.dots\.raw names it"):
        check_raw_files({"dots": ["tiny_number"]})
    (in_bare_project.root / "data/raw").mkdir(parents=True)
    (in_bare_project.root / "data/raw/generated").touch()
    with pytest.raises(UserError, match=r"data/weights/random: not found, but recipes\.tiny_number\.start_from"):
        check_raw_files({"dots": ["tiny_number"]})
    (in_bare_project.root / "data/weights").mkdir()
    (in_bare_project.root / "data/weights/random").touch()
    check_raw_files({"dots": ["tiny_number"]})


def test_what_is_tracked_by_dvc_is_pulled(in_bare_project: Project) -> None:
    (in_bare_project.root / "data/raw").mkdir(parents=True)
    (in_bare_project.root / "data/raw/mnist.npz.dvc").touch()

    with pytest.raises(UserError, match=r"restore it by `dvc pull data/raw/mnist\.npz\.dvc` or correct the path"):
        check_raw_files(check_params())


def test_files_of_recipes_that_are_gone_are_found(in_bare_project: Project) -> None:
    files = ["metrics/mnist/old.json", "plots/history/dots/old.csv", "data/predictions/mnist/old.csv"]
    # of a recipe that is there, of another dataset, and no file of a recipe
    others = ["metrics/mnist/tiny_class.json", "metrics/other/old.json", "metrics/mnist/old.txt"]
    for name in [*files, *others]:
        (in_bare_project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (in_bare_project.root / name).touch()

    assert [file.as_posix() for file in find_leftovers(check_params())] == sorted(files)


def test_an_invalid_recipe_does_not_make_its_dataset_unused(in_bare_project: Project) -> None:
    in_bare_project.edit("params.yaml", "epochs: 3", "epochs: 0")

    with pytest.raises(UserError) as caught:
        check_params()

    assert str(caught.value).splitlines() == ["params.yaml: recipes.tiny_number.epochs: give at least 1, not 0"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def keys(section: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all keys of nested mappings and lists."""
    children = section.items() if isinstance(section, dict) else enumerate(section) if isinstance(section, list) else []
    found = []
    for key, value in children:
        found += [(*path, key), *keys(value, (*path, key))]
    return found


PARAMS = YAML(typ="safe", pure=True).load(TINY_PARAMS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(keys(PARAMS)), value=VALUES, remove=st.booleans())
def test_params_are_good_or_explained(
    key: tuple[Any, ...], value: Any, remove: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = copy.deepcopy(PARAMS)
    section = params
    for part in key[:-1]:
        section = section[part]
    if remove:
        del section[key[-1]]
    else:
        section[key[-1]] = value
    with TemporaryDirectory() as folder:
        monkeypatch.chdir(folder)
        with Path("params.yaml").open("w", encoding="utf-8") as stream:
            YAML(typ="safe", pure=True).dump(params, stream)
        try:
            recipes = check_params()
        except UserError as error:
            for line in str(error).splitlines():
                assert line.startswith("params.yaml")
        else:
            assert {name for names in recipes.values() for name in names} == set(params["recipes"])
