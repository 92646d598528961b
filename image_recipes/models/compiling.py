"""What Keras's `compile` gets of a recipe: its loss, its metrics, and the form of the targets that they take."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError, one_line
from image_recipes.core.tasks import Task
from image_recipes.models.backend import keras, tf
from image_recipes.models.build import Scale
from image_recipes.models.keras_classes import make_component
from image_recipes.models.objective import BY_NUMBER, LOSSES, Component, in_form, takes_one_hot
from image_recipes.models.recipe import Recipe, progress_metric

# what follows from the head, and from dividing batches
FIXED_ARGUMENTS = {"from_logits", "axis", "ignore_class", "reduction", "dtype", "sparse_y_true", "sparse_y_pred"}
# an argument of Huber
DELTA = "delta"
CROSSENTROPY = Component("SparseCategoricalCrossentropy", {})


class Objective(NamedTuple):
    """What a model is trained and judged by.

    Attributes:
        task: of the dataset.
        own_loss: makes the loss, if it is not the task's own in Keras's default form.
        own_metrics: make metrics beside the task's own.
        classes: how many, if classes are given one-hot to loss and metrics; else None.
        columns: whether targets are given as (n, 1), as some metrics of numbers take them.
        progress_metric: the figure of the validation pictures by which progress is judged.
        degree: by what power of the targets' unit the loss grows.
    """

    task: Task
    own_loss: Callable[[], keras.losses.Loss] | None
    own_metrics: Sequence[Callable[[], keras.metrics.Metric]]
    classes: int | None
    columns: bool
    progress_metric: str
    degree: int

    def compile(self, model: keras.Model, optimizer: keras.optimizers.Optimizer, **options: Any) -> None:
        """Compile a model; options are Keras's."""
        judged = self.progress_metric.removeprefix("val_")
        names = dict.fromkeys([*self.task.training_metrics, *([judged] if judged != "loss" else [])])
        metrics = [*names, *(make() for make in self.own_metrics)]
        model.compile(optimizer, self.own_loss() if self.own_loss else self.task.loss, metrics=metrics, **options)

    def encode(self, targets: tf.Tensor) -> tf.Tensor:
        """Bring targets (n,) into the form that loss and metrics take."""
        if self.classes:
            return tf.one_hot(targets, self.classes)
        return targets[:, tf.newaxis] if self.columns else targets

    def loss_of(self, targets: np.ndarray, outputs: np.ndarray) -> float:
        """Return the loss of outputs (n, units) for targets (n,)."""
        loss = self.own_loss() if self.own_loss else keras.losses.get(self.task.loss)
        return float(tf.reduce_mean(loss(self.encode(tf.constant(targets)), tf.constant(outputs, tf.float32))))


def make_objective(recipe: Recipe, info: DatasetInfo, scale: Scale | None = None) -> Objective:
    """Make what a recipe's model is trained and judged by.

    Where a loss or a metric takes classes one-hot, all do: one that takes their numbers is
    exchanged for its twin, which gives the same figure.

    Args:
        recipe: names its loss and metrics, which suit the task.
        info: the dataset's.
        scale: of the targets; Huber's delta then counts standard deviations.

    Raises:
        UserError: a loss or metric refuses its arguments.
    """
    settings, task = recipe.settings, info.task
    loss, metrics = settings.loss, list(settings.metrics or ())
    given = [*([loss] if loss else []), *metrics]
    one_hot = info.classes is not None and any(takes_one_hot(component.class_name) for component in given)
    if one_hot and loss and loss.class_name in BY_NUMBER:
        raise UserError(
            f"{recipe.key}.metrics: one of them takes classes one-hot, which {loss.class_name} does not: "
            "leave out all but accuracies, or take another loss"
        )
    own_loss = loss or (CROSSENTROPY if one_hot else None)
    objective = Objective(
        task,
        _maker(keras.losses, _scaled(own_loss, scale, recipe), one_hot, f"{recipe.key}.loss") if own_loss else None,
        [
            _maker(keras.metrics, metric, one_hot, f"{recipe.key}.metrics.{number}")
            for number, metric in enumerate(metrics)
        ],
        len(info.class_names) if one_hot else None,
        columns=bool(metrics) and info.classes is None,
        progress_metric=progress_metric(settings, task),
        degree=(LOSSES[task][loss.class_name] or 0) if loss else 2,
    )
    if given:
        _try(objective, recipe, info)
    return objective


def check_direction(objective: Objective, monitor: str, mode: str | None, where: str) -> None:
    """Check that it is known whether less or more of a monitored figure is better.

    Args:
        objective: has the metrics.
        monitor: the figure's name in Keras's logs.
        mode: `min`, `max`, or None if the recipe says nothing.
        where: the key in params.yaml of whatever monitors it.

    Raises:
        UserError: neither Keras nor the recipe says so.
    """
    own = {f"val_{metric.name}": metric for metric in (make() for make in objective.own_metrics)}
    # where Keras's callbacks look for it
    if mode is None and monitor in own and getattr(own[monitor], "_direction", None) is None:
        raise UserError(f"{where}.mode: missing: is less or more of {monitor} better? Give min or max")


def _scaled(loss: Component, scale: Scale | None, recipe: Recipe) -> Component:
    if scale is None or loss.class_name != "Huber":
        return loss
    delta = loss.arguments.get(DELTA, 1.0)
    if type(delta) not in (int, float) or not delta > 0:
        raise UserError(f"{recipe.key}.loss: Huber: give {DELTA} a number above 0, not {delta!r}")
    return loss._replace(arguments={**loss.arguments, DELTA: delta * scale.deviation})


def _maker(module: ModuleType, component: Component, one_hot: bool, where: str) -> Callable[[], Any]:
    """Return what makes a loss or a metric: new ones, since a metric keeps figures of its model."""
    for argument in component.arguments:
        if argument in FIXED_ARGUMENTS:
            raise UserError(f"{where}: {component.class_name}: {argument} follows from the model's head: remove it")
    base = keras.losses.Loss if module is keras.losses else keras.metrics.Metric
    name = in_form(component.class_name, one_hot)
    arguments = {"name": component.name, **component.arguments}
    return lambda: _keep_arguments(make_component(module, base, name, arguments, where), arguments)


def _keep_arguments(made: Any, arguments: dict[str, Any]) -> Any:
    """Have a loss or metric save all its arguments: Keras's Huber forgets its delta."""
    config = {**arguments, **made.get_config()}
    made.get_config = lambda: config
    return made


def _try(objective: Objective, recipe: Recipe, info: DatasetInfo) -> None:
    """Compute loss and metrics once: Keras accepts most arguments, such as a text for a number, until they are used."""
    targets: np.ndarray
    targets, outputs = np.array([1.0, 3.0], np.float32), np.array([[1.5], [2.0]], np.float32)
    if info.classes is not None:
        count = len(info.classes)
        targets, outputs = np.arange(count), np.full((count, count), 1 / count, np.float32)
    loss, metrics, what = recipe.settings.loss, recipe.settings.metrics or (), f"{recipe.key}.loss"
    try:
        if not np.isfinite(objective.loss_of(targets, outputs)):
            raise ValueError("its value is not finite")
        for number, make in enumerate(objective.own_metrics):
            what = f"{recipe.key}.metrics.{number}"
            metric = make()
            metric.update_state(objective.encode(tf.constant(targets)), tf.constant(outputs))
            if keras.ops.shape(metric.result()) != ():
                raise ValueError("it gives a figure for each class: set average: macro")
    except UserError:
        raise
    except Exception as error:
        used = [loss] if what.endswith(".loss") else [metrics[int(what.rsplit(".", 1)[1])]]
        name, arguments = used[0] or CROSSENTROPY
        raise UserError(f"{what}: {name} cannot use its arguments {arguments}: {one_line(error)[:200]}") from None


def load_own_metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    """Make the metrics anew that a model was compiled with, beside those that Keras makes of a plain name."""
    given = (model.get_compile_config() or {}).get("metrics") or []
    return [keras.saving.deserialize_keras_object(metric) for metric in given if isinstance(metric, dict)]


def encode_for(model: keras.Model, targets: np.ndarray, info: DatasetInfo) -> np.ndarray:
    """Bring targets (n,) into the form that a compiled model's loss and metrics take."""
    if info.classes is None:
        return targets[:, np.newaxis]
    loss = (model.get_compile_config() or {}).get("loss")
    one_hot = isinstance(loss, dict) and takes_one_hot(loss["class_name"])
    return np.eye(len(info.classes), dtype=np.float32)[targets] if one_hot else targets
