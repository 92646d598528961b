"""What this machine computes at best, and how much there is to compute in an epoch of each recipe."""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import TASKS
from image_recipes.data.dots import DotsDataset
from image_recipes.data.mnist import MnistDataset
from image_recipes.data.sources import load_dataset
from image_recipes.models.backend import keras, tf
from image_recipes.models.build import build_model
from image_recipes.models.recipe import load_recipe

MATRIX_SIZES = (512, 1024, 2048)
# side, channels in and out of a 3x3 convolution
CONVOLUTIONS = ((26, 32), (28, 64), (14, 128), (56, 64))
CONVOLUTION_BATCHES = (32, 128)
REPEATS = 20


def measure_peaks(dtype: str) -> dict[str, float]:
    """Measure the best rate of matrix products and of convolutions, in GFLOP/s.

    A product of two n x n matrices is 2 n^3 operations; a convolution is two for each
    weight and position of its output.

    Args:
        dtype: `float32` or `bfloat16`.
    """
    matmul, convolution = 0.0, 0.0
    for size in MATRIX_SIZES:
        a = tf.cast(tf.random.normal((size, size)), dtype)
        seconds = _seconds(tf.function(lambda a=a: tf.matmul(a, a)))
        matmul = max(matmul, 2 * size**3 / seconds)
    for (side, channels), batch in ((shape, batch) for shape in CONVOLUTIONS for batch in CONVOLUTION_BATCHES):
        x = tf.cast(tf.random.normal((batch, side, side, channels)), dtype)
        kernel = tf.cast(tf.random.normal((3, 3, channels, channels)), dtype)
        seconds = _seconds(tf.function(lambda x=x, kernel=kernel: tf.nn.conv2d(x, kernel, 1, "VALID")))
        operations = 2 * batch * (side - 2) ** 2 * math.prod(kernel.shape)
        convolution = max(convolution, operations / seconds)
    return {"matmul": matmul / 1e9, "convolution": convolution / 1e9}


def _seconds(function: Callable[[], tf.Tensor]) -> float:
    function()
    seconds = []
    for _ in range(REPEATS):
        tf.test.experimental.sync_devices()
        started = time.perf_counter()
        function()
        tf.test.experimental.sync_devices()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def count_epoch(recipe: str, training_pictures: int | None = None) -> dict[str, float | str]:
    """Count the operations of an epoch and its validation, in GFLOP, and name the kind most of them are.

    Counted are products with the weights of dense and convolutional layers: once forward,
    once for the weights' gradients, once for the inputs' (not for the first layer's).
    """
    loaded = load_recipe(recipe)
    dataset = load_dataset(loaded.settings.dataset)
    # the lectures' two, of which params.yaml says all
    assert isinstance(dataset, (MnistDataset, DotsDataset))
    if isinstance(dataset, MnistDataset):
        shape, classes = [28, 28, 1], [str(number) for number in range(10)]
    else:
        shape, classes = [dataset.size, dataset.size, 1], None
    model = build_model(loaded, DatasetInfo(TASKS[dataset.task], classes, None, shape, {}, ""))
    forward = {"matmul": 0, "convolution": 0}
    first = 0
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            operations = 2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
            first = first or operations
            forward["convolution" if isinstance(layer, keras.layers.Conv2D) else "matmul"] += operations
    total = sum(forward.values())
    training = min(training_pictures or dataset.split.train, dataset.split.train)
    operations = training * (3 * total - first) + dataset.split.validation * total
    return {"gflop_per_epoch": operations / 1e9, "kind": max(forward, key=lambda kind: forward[kind])}


def main() -> None:
    """Print both in JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*")
    parser.add_argument("--training-pictures", type=int, help="no more than so many")
    arguments = parser.parse_args()
    peaks = {dtype: measure_peaks(dtype) for dtype in ("float32", "bfloat16")}
    counts = {recipe: count_epoch(recipe, arguments.training_pictures) for recipe in arguments.recipes}
    print(json.dumps({"gflop_per_second": peaks, "recipes": counts}))


if __name__ == "__main__":
    main()
