"""Optimizers: made as a recipe says, their schedule over the whole training, and mistakes named before it."""

import pytest

from image_recipes.core.errors import UserError
from image_recipes.models.optimizers import build_optimizer
from image_recipes.models.recipe import Optimizer


def optimizer(name: str, learning_rate: object, **arguments: object) -> Optimizer:
    return Optimizer.model_validate({"name": name, "learning_rate": learning_rate, **arguments})


def test_a_schedule_runs_over_the_whole_training() -> None:
    settings = optimizer("Adam", {"name": "CosineDecay", "initial_learning_rate": 0.003})

    schedule = build_optimizer(settings, steps=200, where="recipes.r.optimizer")._learning_rate

    assert float(schedule(0)) == pytest.approx(0.003)
    assert float(schedule(100)) == pytest.approx(0.0015)
    assert float(schedule(200)) == pytest.approx(0, abs=1e-9)


def test_a_warm_up_is_part_of_the_training() -> None:
    settings = {"name": "CosineDecay", "initial_learning_rate": 0.0, "warmup_target": 0.1, "warmup_steps": 20}

    schedule = build_optimizer(optimizer("SGD", settings), steps=100, where="recipes.r.optimizer")._learning_rate

    assert float(schedule(20)) == pytest.approx(0.1)
    assert float(schedule(100)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("steps", "rising"), [(100, 20), (9, 1), (2, 1)])
def test_a_warm_up_may_be_a_share_of_the_training(steps: int, rising: int) -> None:
    settings = {"name": "CosineDecay", "initial_learning_rate": 0.0, "warmup_target": 0.1, "warmup_steps": 0.2}

    schedule = build_optimizer(optimizer("SGD", settings), steps, where="recipes.r.optimizer")._learning_rate

    assert float(schedule(rising)) == pytest.approx(0.1)
    assert float(schedule(steps)) == pytest.approx(0, abs=1e-9)


def test_given_decay_steps_are_kept() -> None:
    settings = optimizer(
        "SGD", {"name": "ExponentialDecay", "initial_learning_rate": 1.0, "decay_rate": 0.5, "decay_steps": 10}
    )

    schedule = build_optimizer(settings, steps=200, where="recipes.r.optimizer")._learning_rate

    assert float(schedule(10)) == pytest.approx(0.5)


def test_an_optimizer_gets_its_arguments() -> None:
    built = build_optimizer(optimizer("SGD", 0.05, momentum=0.9, nesterov=True), steps=1, where="recipes.r.optimizer")

    assert float(built.learning_rate) == pytest.approx(0.05)
    assert (built.momentum, built.nesterov) == (0.9, True)


BAD_OPTIMIZERS = {
    "unknown optimizer": (
        optimizer("Addam", 0.1),
        "recipes.r.optimizer: no 'Addam' in keras.optimizers: did you mean 'Adam'",
    ),
    "unknown argument": (
        optimizer("SGD", 0.1, momentun=0.9),
        "recipes.r.optimizer: SGD takes no argument 'momentun': did you mean 'momentum'?",
    ),
    "bad value": (optimizer("SGD", 0.1, momentum=7), "recipes.r.optimizer: SGD refuses its arguments"),
    "unknown schedule": (
        optimizer("SGD", {"name": "CosineDecy", "initial_learning_rate": 0.1}),
        "recipes.r.optimizer.learning_rate: no 'CosineDecy' in keras.optimizers.schedules: did you mean 'CosineDecay'?",
    ),
    "text for a number": (optimizer("Adam", 0.1, beta_1="0.9"), "recipes.r.optimizer: Adam cannot use its arguments"),
    "text in a schedule": (
        optimizer("Adam", {"name": "CosineDecay", "initial_learning_rate": "fast"}),
        "recipes.r.optimizer: Adam cannot use its arguments",
    ),
    "too long a warm-up": (
        optimizer(
            "SGD", {"name": "CosineDecay", "initial_learning_rate": 0.0, "warmup_target": 0.1, "warmup_steps": 10}
        ),
        "recipes.r.optimizer.learning_rate.warmup_steps: give a share of the steps, such as 0.1, or a whole "
        "number below the run's 10 steps, not 10",
    ),
    "unknown argument of a schedule": (
        optimizer("SGD", {"name": "CosineDecay", "initial_rate": 0.1}),
        "recipes.r.optimizer.learning_rate: CosineDecay takes no argument 'initial_rate'",
    ),
}


@pytest.mark.parametrize("case", BAD_OPTIMIZERS)
def test_a_bad_optimizer_is_named(case: str) -> None:
    settings, expected = BAD_OPTIMIZERS[case]

    with pytest.raises(UserError) as caught:
        build_optimizer(settings, steps=10, where="recipes.r.optimizer")

    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
