"""Losses and metrics by name: which suits which task is known before Keras is."""

from typing import Any

import pytest

from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, TASKS, Task
from image_recipes.models import objective
from image_recipes.models.backend import keras
from image_recipes.models.recipe import find_unsuited, list_monitors, progress_metric
from recipes import make_recipe


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_keras_has_every_loss_and_metric(task: Task) -> None:
    assert [name for name in objective.LOSSES[task] if not hasattr(keras.losses, name)] == []
    assert [name for name in objective.METRICS[task] if not hasattr(keras.metrics, name)] == []


@pytest.mark.parametrize(
    ("name", "class_name"),
    [("huber", "Huber"), ("mae", "MeanAbsoluteError"), ("categorical_crossentropy", "CategoricalCrossentropy")],
)
def test_keras_s_other_names_are_understood(name: str, class_name: str) -> None:
    loss = make_recipe([], loss=name).settings.loss

    assert loss is not None
    assert loss.class_name == class_name


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        (REGRESSION, {"loss": "Hubber"}, "loss: no 'Hubber' in keras.losses for regression: did you mean 'Huber'?"),
        (CLASSIFICATION, {"loss": "Huber"}, "loss: Huber does not suit classification: it is for regression; known: "),
        (
            CLASSIFICATION,
            {"loss": "BinaryCrossentropy"},
            "loss: BinaryCrossentropy does not suit classification: the head has an output for each class: take "
            "CategoricalCrossentropy; known: ",
        ),
        (
            REGRESSION,
            {"loss": "LogCosh", "standardize_targets": True},
            "loss: LogCosh has no scale that standardize_targets could go by: take Huber",
        ),
        (
            CLASSIFICATION,
            {"metrics": [{"TopKAccuracy": {"k": 5}}]},
            "metrics.0: no 'TopKAccuracy' in keras.metrics for classification: did you mean 'TopKCategoricalAccuracy'?",
        ),
        (REGRESSION, {"metrics": ["AUC"]}, "metrics.0: AUC does not suit regression: it is for classification; known"),
        (
            REGRESSION,
            {"metrics": [{"MeanAbsoluteError": {"name": "mae"}}]},
            "metrics.0: its figure cannot be called 'mae', which is taken or no plain name: give it another name",
        ),
        (
            CLASSIFICATION,
            {"metrics": [{"TopKCategoricalAccuracy": {"k": 2}}, {"TopKCategoricalAccuracy": {"k": 3}}]},
            "metrics.1: its figure cannot be called 'top_k_categorical_accuracy', which is taken",
        ),
        (
            CLASSIFICATION,
            {"reduce_lr_on_plateau": {"monitor": "val_los", "factor": 0.5, "patience": 2, "min_lr": 0}},
            "reduce_lr_on_plateau.monitor: no 'val_los' for classification, which own is for: give val_loss or ",
        ),
    ],
)
def test_what_does_not_suit_is_found_before_training(task: Task, changes: dict[str, Any], message: str) -> None:
    (line,) = find_unsuited(make_recipe([], **changes).settings, task)

    assert line.startswith(message), line


def test_own_metrics_may_be_monitored() -> None:
    settings = make_recipe([], metrics=[{"SparseTopKCategoricalAccuracy": {"k": 5, "name": "top_5"}}]).settings

    assert list_monitors(settings, CLASSIFICATION) == ["val_loss", "val_accuracy", "val_top_5"]


def test_progress_of_numbers_is_judged_by_their_mse_under_any_loss() -> None:
    def judged(**changes: Any) -> str:
        return progress_metric(make_recipe([], **changes).settings, REGRESSION)

    assert (judged(), judged(loss="mse"), judged(loss="Huber")) == ("val_loss", "val_loss", "val_mse")
    assert progress_metric(make_recipe([], loss="CategoricalHinge").settings, CLASSIFICATION) == "val_accuracy"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": 3}, "loss: give its Keras name with its arguments, such as `Huber: {delta: 1.0}`, or the name alone"),
        ({"loss": {"Huber": 1.0}}, "loss: give its Keras name with its arguments"),
        ({"metrics": []}, "metrics: give at least one"),
        ({"class_weight": {"bright": -1}}, "class_weight.bright: give at least 0.0, not -1"),
        ({"class_weight": {}}, "class_weight: give at least one"),
        ({"folds": 1}, "folds: give at least 2, not 1"),
        (
            {"folds": 2, "early_stopping": {"monitor": "val_loss", "patience": 1, "restore_best_weights": True}},
            "folds: one judges, one is for early stopping or the plateau, and none is left: give 3",
        ),
        (
            {"reduce_lr_on_plateau": {"monitor": "val_loss", "factor": 1.0, "patience": 2, "min_lr": 0}},
            "reduce_lr_on_plateau.factor: give less than 1.0, not 1.0",
        ),
        (
            {
                "optimizer": {"name": "SGD", "learning_rate": {"name": "CosineDecay", "initial_learning_rate": 0.1}},
                "reduce_lr_on_plateau": {"monitor": "val_loss", "factor": 0.5, "patience": 2, "min_lr": 0},
            },
            "reduce_lr_on_plateau: optimizer.learning_rate is a schedule, which sets the rate itself: give a number",
        ),
    ],
)
def test_a_bad_form_is_explained(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        make_recipe([], **changes)

    assert message in str(caught.value)
