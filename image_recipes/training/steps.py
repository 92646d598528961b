"""Running the steps of training and evaluation: many at one go, and on all cores.

Which way is fastest on a CPU was measured (`make bench`): a network without windows is
compiled by XLA, steps and loop together; of any other, each batch is computed in two parts
side by side, which keeps two cores busier than sharing out every operation does.
"""

import inspect
import os
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from image_recipes.models.backbones import is_backbone
from image_recipes.models.backend import keras, tf
from image_recipes.models.feeding import Feed
from image_recipes.models.keras_classes import is_augmentation
from image_recipes.models.recipe import Layer, walk

# a fixed number, so that a batch is divided alike on every machine
BATCH_PARTS = 2
# of a compiled loop: one step's end overlaps the next one's beginning
UNROLLED_STEPS = 4
# arguments of the layers that look at a window of a picture: convolution and pooling
WINDOW_ARGUMENTS = {"kernel_size", "pool_size"}
# layers with a state of their own, which must see a batch as a whole
STATEFUL_LAYERS = {"BatchNormalization", "SpectralNormalization"}

Step = Callable[[tf.Tensor, tf.Tensor], None]
Encode = Callable[[tf.Tensor], tf.Tensor]


class Execution(NamedTuple):
    """How steps are run.

    Attributes:
        jit_compile: compile them by XLA.
        parts: into how many parts a batch is divided, which are computed side by side.
    """

    jit_compile: bool
    parts: int


class Weighting(NamedTuple):
    """How the training loss is weighed.

    Attributes:
        class_weight: of each class, as in Keras's `fit`; None for all alike.
        gradient_scale: by what the gradients of the loss are multiplied, but not those of
            regularizers; the loss is shown as it is.
    """

    class_weight: Sequence[float] | None = None
    gradient_scale: float = 1.0


UNWEIGHTED = Weighting()


def as_they_are(targets: tf.Tensor) -> tf.Tensor:
    """Return targets as they are."""
    return targets


def choose_execution(layers: Sequence[Layer], jit_compile: Literal["auto", True, False]) -> Execution:
    """Choose how to run the steps of a network.

    Args:
        layers: that compute in every step, augmentation included.
        jit_compile: as for Keras's `compile`. `auto` is true on a GPU, and on a CPU for layers
            without windows: XLA makes convolutions on a CPU many times slower. It is false with
            augmentation, which XLA cannot compile.

    Returns:
        The choice; parts are for CPUs and for steps that XLA does not compile.
    """
    gpu = bool(tf.config.list_physical_devices("GPU"))
    if jit_compile == "auto":
        suits = gpu or not any(_has_windows(layer) for layer in walk(layers))
        jit_compile = suits and not any(is_augmentation(layer.class_name) for layer in layers)
    stateful = any(layer.class_name in STATEFUL_LAYERS or is_backbone(layer) for layer in walk(layers))
    whole = gpu or jit_compile or stateful or depends_on_batches(layers)
    return Execution(jit_compile, 1 if whole else BATCH_PARTS)


def depends_on_batches(layers: Sequence[Layer]) -> bool:
    """Tell whether the loss depends on how pictures are batched: a penalty of outputs is summed over a batch."""
    return any(
        layer.class_name == "ActivityRegularization" or layer.arguments.get("activity_regularizer")
        for layer in walk(layers)
    )


def _has_windows(layer: Layer) -> bool:
    known = getattr(keras.layers, layer.class_name, None)
    arguments = set(inspect.signature(known).parameters) if known else set()
    return is_backbone(layer) or bool(WINDOW_ARGUMENTS & arguments)


def share_cores(parts: int) -> None:
    """Give each part of a batch its share of the cores.

    TensorFlow takes this before its first operation only.
    """
    if parts > 1:
        # macOS knows no affinity
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // parts))


def use_execution(
    model: keras.Model,
    execution: Execution,
    training: Feed,
    validation: Feed,
    weighting: Weighting = UNWEIGHTED,
    encode: Encode = as_they_are,
) -> None:
    """Make a compiled model's `fit` run executions in place of single steps.

    Keras keeps its loop over epochs, its metrics and its callbacks, to which an execution
    is one batch; `compile` undoes this.

    Args:
        model: compiled.
        execution: how to run the steps.
        training: feeds `fit`, as `x`.
        validation: feeds it as `validation_data`.
        weighting: of the training loss.
        encode: brings targets (n,) into the form that the loss and the metrics take.
    """
    parts = execution.parts
    model.train_function = _make_function(model, parts, _training_step(model, parts, weighting, encode), training)
    model.test_function = _make_function(model, parts, _evaluation_step(model, parts, encode), validation)


def _make_function(model: keras.Model, parts: int, step: Step, feed: Feed) -> Callable[..., dict[str, tf.Tensor]]:
    # Keras has set this to false, with a warning, if a layer cannot be compiled
    jit_compile = model.jit_compile
    any_size = parts == 1 and not jit_compile

    @tf.function(jit_compile=jit_compile, autograph=False)
    def run(images: tf.Tensor, targets: tf.Tensor, order: tf.Tensor) -> dict[str, tf.Tensor]:
        def step_on(batch: tf.Tensor) -> None:
            step(tf.gather(images, batch), tf.gather(targets, batch))

        if any_size:
            _loop_over_batches_of_any_size(step_on, order, feed.batch_size)
        else:
            _loop_over_batches(step_on, order, feed.batch_size, UNROLLED_STEPS if jit_compile else 1)
        return model.get_metrics_result()

    def run_next(iterator: tf.data.Iterator) -> dict[str, tf.Tensor]:
        return run(*feed.unpack(*next(iterator)))

    return run_next


def _loop_over_batches(step_on: Callable[[tf.Tensor], None], order: tf.Tensor, size: int, unrolled: int) -> None:
    def body(first: tf.Tensor) -> tuple[tf.Tensor]:
        for number in range(unrolled):
            step_on(batches[first + number])
        return (first + unrolled,)

    steps, rest = divmod(order.shape[0], size)
    looped = steps - steps % unrolled
    batches = tf.reshape(order[: steps * size], (steps, size))
    if looped:
        tf.while_loop(lambda first: first < looped, body, [tf.constant(0)], parallel_iterations=1)
    for number in range(looped, steps):
        step_on(batches[number])
    if rest:
        step_on(order[-rest:])


def _loop_over_batches_of_any_size(step_on: Callable[[tf.Tensor], None], order: tf.Tensor, size: int) -> None:
    """Trace a step once for all batches, the last and smaller one too: of a large network that takes seconds."""

    def body(first: tf.Tensor) -> tuple[tf.Tensor]:
        step_on(order[first : first + size])
        return (first + size,)

    tf.while_loop(lambda first: first < order.shape[0], body, [tf.constant(0)], parallel_iterations=1)


def _training_step(model: keras.Model, parts: int, weighting: Weighting, encode: Encode) -> Step:
    class_weight, gradient_scale = weighting

    def step(images: tf.Tensor, targets: tf.Tensor) -> None:
        gradients, predictions = [], []
        for part_images, part_targets in _divide(images, targets, parts):
            prediction = model(part_images, training=True)
            sample_weight = None if class_weight is None else tf.gather(tf.constant(class_weight), part_targets)
            loss = model.compute_loss(part_images, encode(part_targets), prediction, sample_weight)
            if gradient_scale != 1:
                # what regularizers add has no unit
                penalty = sum(model.losses)
                scaled = (loss - penalty) * gradient_scale + penalty
            else:
                scaled = loss
            share = model.optimizer.scale_loss(scaled * (_count(part_images) / _count(images)) if parts > 1 else scaled)
            # the first metric is Keras's own mean of the loss
            model.metrics[0].update_state(loss, sample_weight=_count(part_images))
            weights = [weight.value for weight in model.trainable_weights]
            # a tape would add three terms or more in an order that threads decide, see `backend`
            gradients.append(tf.gradients(share, weights, aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE))
            predictions.append(prediction)
        model.optimizer.apply_gradients(
            (_sum(shares), weight) for *shares, weight in zip(*gradients, model.trainable_weights, strict=True)
        )
        _update_metrics(model, images, encode(targets), predictions)

    return step


def _evaluation_step(model: keras.Model, parts: int, encode: Encode) -> Step:
    def step(images: tf.Tensor, targets: tf.Tensor) -> None:
        predictions = []
        for part_images, part_targets in _divide(images, targets, parts):
            prediction = model(part_images, training=False)
            loss = model.compute_loss(part_images, encode(part_targets), prediction, training=False)
            model.metrics[0].update_state(loss, sample_weight=_count(part_images))
            predictions.append(prediction)
        _update_metrics(model, images, encode(targets), predictions)

    return step


def _count(images: tf.Tensor) -> int | tf.Tensor:
    # known beforehand, or not
    return images.shape[0] or tf.shape(images)[0]


def _divide(images: tf.Tensor, targets: tf.Tensor, parts: int) -> list[tuple[tf.Tensor, tf.Tensor]]:
    if parts == 1:
        return [(images, targets)]
    size = -(-images.shape[0] // parts)
    starts = range(0, images.shape[0], size)
    return [(images[start : start + size], targets[start : start + size]) for start in starts]


def _sum(gradients: Sequence[tf.Tensor | None]) -> tf.Tensor | None:
    # None is the gradient of a weight that the loss does not depend on
    return None if gradients[0] is None else tf.add_n(gradients)


def _update_metrics(
    model: keras.Model, images: tf.Tensor, targets: tf.Tensor, predictions: Sequence[tf.Tensor]
) -> None:
    model.compute_metrics(images, targets, tf.concat(predictions, axis=0))
