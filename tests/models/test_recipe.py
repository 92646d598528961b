"""A recipe of params.yaml: read as given, the lectures' own as published, a bad one explained."""

from typing import Any

import pytest

from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.data.sources import load_dataset
from image_recipes.models.recipe import Layer, Schedule, find_unsuited, load_recipe
from projects import ROOT, Project
from recipes import make_recipe

FINE_TUNING = {"epochs": 2, "optimizer": {"name": "SGD", "learning_rate": 0.01}}


def test_the_lectures_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lectures = {
        "mnist_mlp": ("SGD", 0.01, 30),
        "mnist_cnn": ("SGD", 0.01, 30),
        "mnist_deep_cnn": ("SGD", 0.01, 30),
        "dots_mlp": ("Adam", 0.001, 1000),
        "dots_cnn": ("Adam", 0.001, 1000),
    }
    for name, (optimizer, rate, epochs) in lectures.items():
        settings = load_recipe(name).settings
        assert (settings.optimizer.name, settings.optimizer.learning_rate, settings.epochs) == (optimizer, rate, epochs)
        assert settings.batch_size == 32
    assert load_dataset("mnist").split.model_dump() == {"train": 50_000, "validation": 10_000, "test": 10_000}
    assert (load_dataset("dots").split.train, load_dataset("dots").split.validation) == (1_500, 300)


def test_dropout_is_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    layers = load_recipe("mnist_deep_cnn").layers

    assert [layer.arguments["rate"] for layer in layers if layer.class_name == "Dropout"] == [0.25, 0.25, 0.5]


def test_a_recipe_comes_with_its_layers(in_bare_project: Project) -> None:
    in_bare_project.edit("params.yaml", "epochs: 3", "epochs: none at all")
    in_bare_project.edit("params.yaml", "jit_compile: auto", "jit_compile: false")
    in_bare_project.edit("params.yaml", "precision: float32", "precision: mixed_bfloat16")

    # a mistake in another recipe is the stage check's business
    name, settings, layers = load_recipe("tiny_class")

    assert (name, settings.epochs) == ("tiny_class", 2)
    assert (settings.jit_compile, settings.precision) == (False, "mixed_bfloat16")
    assert [layer.class_name for layer in layers] == ["Conv2D", "Dropout", "Flatten"]
    assert layers[2] == Layer("Flatten", {})


@pytest.mark.usefixtures("in_bare_project")
def test_a_schedule_stands_in_place_of_a_rate() -> None:
    rate = load_recipe("tiny_number").settings.optimizer.learning_rate

    assert isinstance(rate, Schedule)
    assert rate.model_dump() == {"name": "CosineDecay", "initial_learning_rate": 0.01}


def test_what_it_names_must_be_there(in_bare_project: Project) -> None:
    with pytest.raises(UserError, match=r"recipes: no recipe 'tiny_clas': did you mean 'tiny_class'\?"):
        load_recipe("tiny_clas")
    in_bare_project.edit("params.yaml", "architecture: small", "architecture: smal")
    with pytest.raises(UserError, match=r"architectures: no architecture 'smal': did you mean 'small'\?"):
        load_recipe("tiny_class")


def test_keys_for_errors_and_other_settings() -> None:
    recipe = make_recipe([Layer("Flatten", {})], epochs=7)
    changed = recipe.with_settings(epochs=1)

    assert (recipe.key, recipe.architecture_key) == ("params.yaml: recipes.net", "params.yaml: architectures.net")
    assert (changed.settings.epochs, recipe.settings.epochs) == (1, 7)
    assert changed.with_settings(epochs=7) == recipe


def test_what_does_not_suit_the_task_is_found() -> None:
    stopping = {"monitor": "val_accuracy", "patience": 1, "restore_best_weights": True}
    recipe = make_recipe([], class_weight="balanced", early_stopping=stopping)

    assert find_unsuited(recipe.settings, CLASSIFICATION) == []
    assert find_unsuited(recipe.settings, REGRESSION) == [
        "class_weight: not for regression, which own is for: remove it",
        "early_stopping.monitor: no 'val_accuracy' for regression, which own is for: give val_loss",
    ]
    assert find_unsuited(make_recipe([], standardize_targets=True).settings, CLASSIFICATION) == [
        "standardize_targets: not for classification, which own is for: remove it"
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fine_tuning": FINE_TUNING}, "fine_tuning: random weights are trained from the start"),
        ({"augmentation": ["RandomFlip"], "jit_compile": True}, "XLA cannot compile augmentation: give auto or false"),
        ({"early_stopping": {"monitor": "val_loss"}}, "early_stopping.patience: missing: add it"),
        (
            {"early_stopping": {"monitor": "val_loss", "patience": 1, "restore_best_weights": True, "patiance": 2}},
            "early_stopping: unknown key 'patiance': did you mean 'patience'",
        ),
        ({"class_weight": "even"}, "class_weight: give 'balanced', not 'even'"),
        ({"augmentation": []}, "augmentation: give at least one"),
    ],
)
def test_a_bad_recipe_is_explained(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_recipe([Layer("Flatten", {})], **changes)
