"""Making the optimizer that a recipe names, with its learning-rate schedule."""

import inspect

from image_recipes.backend import keras
from image_recipes.components import make_component
from image_recipes.params import Optimizer


def build_optimizer(settings: Optimizer, steps: int, where: str) -> keras.optimizers.Optimizer:
    """Build a Keras optimizer.

    Args:
        settings: its name and arguments. A schedule in place of the learning rate runs
            over the whole training: where its class takes `decay_steps`, and the recipe
            does not give them, they are `steps`.
        steps: the number of steps (batches) of the whole training.
        where: the optimizer's key in params.yaml, for errors.

    Raises:
        UserError: an unknown optimizer, schedule or argument.
    """
    arguments = settings.model_dump(exclude={"name", "learning_rate"})
    rate = settings.learning_rate
    if not isinstance(rate, float):
        schedules = keras.optimizers.schedules
        given = rate.model_dump(exclude={"name"})
        schedule = getattr(schedules, rate.name, None)
        if schedule and "decay_steps" in inspect.signature(schedule).parameters:
            given = {"decay_steps": steps, **given}
        key = f"{where}.learning_rate"
        rate = make_component(schedules, schedules.LearningRateSchedule, rate.name, given, key)
    arguments["learning_rate"] = rate
    return make_component(keras.optimizers, keras.optimizers.Optimizer, settings.name, arguments, where)
