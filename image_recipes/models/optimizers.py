"""Making the optimizer that a recipe names, with its learning-rate schedule."""

import inspect
from typing import Any

from image_recipes.core.errors import UserError, one_line
from image_recipes.models.backend import keras
from image_recipes.models.keras_classes import make_component
from image_recipes.models.recipe import Optimizer, Schedule


def build_optimizer(settings: Optimizer, steps: int, where: str) -> keras.optimizers.Optimizer:
    """Build a Keras optimizer.

    Args:
        settings: its name and arguments. A schedule in place of the learning rate runs
            over the whole training: where its class takes `decay_steps`, and the recipe
            does not give them, they are `steps`, less the schedule's `warmup_steps`, which
            may be given as a share of `steps`, such as 0.1.
        steps: the number of steps (batches) of the whole training.
        where: the optimizer's key in params.yaml, for errors.

    Raises:
        UserError: an unknown optimizer, schedule or argument, or a value it cannot use.
    """
    optimizer = _make_optimizer(settings, steps, where)
    # Keras accepts most values, such as a text for a number, until they are used
    try:
        trial = _make_optimizer(settings, steps, where)
        trial.apply([keras.ops.ones(())], [keras.Variable(1.0)])
    except UserError:
        raise
    except Exception as error:
        arguments = settings.model_dump(exclude={"name"})
        raise UserError(f"{where}: {settings.name} cannot use its arguments {arguments}: {one_line(error)}") from None
    return optimizer


def _make_optimizer(settings: Optimizer, steps: int, where: str) -> keras.optimizers.Optimizer:
    arguments = settings.model_dump(exclude={"name", "learning_rate"})
    arguments["learning_rate"] = settings.learning_rate
    if isinstance(settings.learning_rate, Schedule):
        arguments["learning_rate"] = _make_schedule(settings.learning_rate, steps, f"{where}.learning_rate")
    return make_component(keras.optimizers, keras.optimizers.Optimizer, settings.name, arguments, where)


def _make_schedule(settings: Schedule, steps: int, where: str) -> Any:
    schedules = keras.optimizers.schedules
    arguments = settings.model_dump(exclude={"name"})
    if "warmup_steps" in arguments:
        arguments["warmup_steps"] = _warmup_steps(arguments["warmup_steps"], steps, where)
    known = getattr(schedules, settings.name, None)
    if known and "decay_steps" in inspect.signature(known).parameters and "decay_steps" not in arguments:
        arguments["decay_steps"] = steps - arguments.get("warmup_steps", 0)
    return make_component(schedules, schedules.LearningRateSchedule, settings.name, arguments, where)


def _warmup_steps(given: Any, steps: int, where: str) -> int:
    if isinstance(given, float) and 0 < given < 1:
        return min(max(1, int(given * steps)), steps - 1)
    if not isinstance(given, int) or not 0 <= given < steps:
        raise UserError(
            f"{where}.warmup_steps: give a share of the steps, such as 0.1, or a whole number below the run's "
            f"{steps:,} steps, not {given!r}"
        )
    return given
