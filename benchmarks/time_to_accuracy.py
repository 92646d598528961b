"""How long the recipe mnist_fast, and keras-io's MNIST convnet example, take to a test accuracy of 0.99.

Test pictures are looked at here to report, never to choose: the recipe was chosen by validation.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.contender import Laps, Work, run_process
from benchmarks.machine import describe_machine
from benchmarks.pictures import prepare_for_benchmark
from benchmarks.results import save_rows, save_table
from image_recipes.core.running import exit_on_user_error
from image_recipes.models.recipe import load_recipe

RECIPE = "mnist_fast"
ACCURACY = 0.990
SEEDS = 10
# of the example, which takes a quarter of an hour and varies less
EXAMPLE_SEEDS = 3
EXAMPLE_EPOCHS = 15


def main() -> None:
    """Train both with several seeds and write benchmarks/results/time_to_accuracy.json and time_to_accuracy.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed each, and one epoch of the example")
    parser.add_argument("--one", nargs=4, metavar=("WHAT", "SEED", "EPOCHS", "FOLDER"), help="run this one here")
    arguments = parser.parse_args()
    if arguments.one:
        what, seed, epochs, folder = arguments.one
        train = train_ours if what == RECIPE else train_example
        print(json.dumps(train(int(seed), int(epochs), Path(folder))))
        return
    ours = load_recipe(RECIPE).settings.epochs
    plan = [(RECIPE, seed, ours) for seed in range(1 if arguments.quick else SEEDS)]
    plan += [("keras-io", 0, 1)] if arguments.quick else [("keras-io", n, EXAMPLE_EPOCHS) for n in range(EXAMPLE_SEEDS)]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        prepare_for_benchmark("mnist", Path(folder))
        for what, seed, epochs in plan:
            report = run_process("time_to_accuracy", "--one", what, str(seed), str(epochs), folder)
            reached = report["test_accuracy"] >= ACCURACY
            rows.append({"what": what, "seed": seed, **report, "reached": reached, "machine": describe_machine()})
            print(rows[-1], flush=True)
    name = "time_to_accuracy-quick" if arguments.quick else "time_to_accuracy"
    save_rows(rows, name)
    print(save_table(tabulate(rows), name))


def train_ours(seed: int, epochs: int, folder: Path) -> dict[str, Any]:
    """Train the recipe as it is; its time is that of all its epochs, the first with compilation."""
    from benchmarks.ours import run_recipe
    from image_recipes.core.dataset import load_prepared, load_split
    from image_recipes.evaluation.by_task import score_task
    from image_recipes.evaluation.inference import predict
    from image_recipes.results.predictions import tabulate_predictions

    laps = Laps()
    model = run_recipe(load_recipe(RECIPE), folder, epochs, seed, laps)
    prepared = load_prepared(folder)
    test = prepared.subset(load_split(folder / "split", "test"))
    predictions = tabulate_predictions(test, predict(model, test), prepared.info)
    return {
        "test_accuracy": score_task(prepared.info.task, predictions),
        "seconds": sum(laps.seconds),
        "seconds_without_compilation": statistics.median(laps.seconds[1:]) * epochs,
        "epochs": epochs,
    }


def train_example(seed: int, epochs: int, folder: Path) -> dict[str, Any]:
    """Train the example by plain `fit` with its settings (15 epochs), until its test accuracy is reached.

    The settings are those of "Simple MNIST convnet" by F. Chollet in keras-io: two
    convolutions of 32 and 64 filters, dropout, Adam, batches of 128, and a tenth of the
    60,000 official training pictures to validate on.
    """
    import numpy as np

    # first, since it chooses Keras's backend
    from image_recipes.models.backend import keras

    layers = keras.layers
    laps = Laps()
    work = Work(RECIPE, folder, epochs, 128)
    (x_train, y_train), (x_val, y_val), (x_test, y_test) = (work.load(s) for s in ("train", "validation", "test"))
    x_train, y_train = np.concatenate([x_train, x_val]).astype("float32") / 255, np.concatenate([y_train, y_val])
    x_test = x_test.astype("float32") / 255
    y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    accuracies: list[float] = []

    def end_epoch(epoch: int, logs: dict[str, float]) -> None:
        laps.end_epoch(logs["val_accuracy"])
        accuracies.append(model.evaluate(x_test, y_test, batch_size=1000, verbose=0)[1])
        model.stop_training = accuracies[-1] >= ACCURACY
        # that look at the test pictures is not the example's
        laps.lap_started = time.perf_counter()

    callback = keras.callbacks.LambdaCallback(on_epoch_end=end_epoch)
    laps.start()
    model.fit(
        x_train, y_train, batch_size=128, epochs=work.epochs, validation_split=0.1, verbose=0, callbacks=[callback]
    )
    return {"test_accuracy": accuracies[-1], "seconds": sum(laps.seconds), "epochs": len(accuracies)}


def tabulate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Set time and accuracy of both side by side, as texts; the time is that of `fit`, compilation included."""
    lines = []
    for what in dict.fromkeys(row["what"] for row in rows):
        runs = [row for row in rows if row["what"] == what]
        accuracies = [row["test_accuracy"] for row in runs]
        seconds = [row["seconds"] for row in runs]
        spread = f" ± {statistics.stdev(accuracies):.4f}" if len(runs) > 1 else ""
        lines.append(
            {
                "trained": what,
                "seeds": str(len(runs)),
                f"reached {ACCURACY:.2f}": str(sum(row["reached"] for row in runs)),
                "test accuracy": f"{statistics.mean(accuracies):.4f}{spread}",
                "epochs": f"{statistics.median(row['epochs'] for row in runs):g}",
                "seconds": f"{statistics.median(seconds):.1f} ({min(seconds):.1f}-{max(seconds):.1f})",
            }
        )
    return pd.DataFrame(lines)


if __name__ == "__main__":
    exit_on_user_error(main)
