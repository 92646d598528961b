"""A small task by plain Keras, as an experienced user writes it for pictures of any kind.

`python -m benchmarks.plain_keras TABLE TASK FLIPS SEEDS` learns from a table of columns file, label and split.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers
from PIL import Image
from sklearn.metrics import accuracy_score, r2_score

MAX_SIDE = 128
BATCH_SIZE = 32
EPOCHS = 50
SPLITS = ("train", "validation", "test")


def load_pictures(table: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Load pictures and labels of each split."""
    rows = pd.read_csv(table)
    with Image.open(table.parent / rows["file"][0]) as first:
        side = min(MAX_SIDE, max(first.size))
        colours = "grayscale" if first.mode == "L" else "rgb"
    images = np.stack(
        [
            keras.utils.img_to_array(
                keras.utils.load_img(
                    table.parent / file, color_mode=colours, target_size=(side, side), interpolation="bilinear"
                ),
                dtype="uint8",
            )
            for file in rows["file"]
        ]
    )
    chosen = {split: (rows["split"] == split).to_numpy() for split in SPLITS}
    return {split: (images[mask], rows["label"].to_numpy()[mask]) for split, mask in chosen.items()}


def make_model(input_shape: tuple[int, ...], outputs: int, activation: str | None) -> keras.Model:
    """Make the network: four blocks of convolutions with batch normalization."""
    inputs = keras.Input(input_shape)
    x = layers.Rescaling(1 / 255)(inputs)
    for filters in (16, 32, 64, 128):
        x = layers.Conv2D(filters, 3, padding="same")(x)
        # Keras's own 0.99 follows the few steps of a small task too late for early stopping
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(inputs, layers.Dense(outputs, activation)(x))


def main() -> None:
    """Train with each seed, and print the figures of each training (accuracy or R2) in JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("task", choices=["classification", "regression"])
    parser.add_argument("flips", type=int)
    parser.add_argument("seeds", type=int)
    arguments = parser.parse_args()
    classification = arguments.task == "classification"
    data = load_pictures(arguments.table)
    if classification:
        classes = sorted(set(data["train"][1]))
        targets = {split: np.array([classes.index(label) for label in labels]) for split, (_, labels) in data.items()}
    else:
        mean, deviation = data["train"][1].mean(), data["train"][1].std()
        targets = {split: (labels - mean) / deviation for split, (_, labels) in data.items()}
    images = {split: pictures for split, (pictures, _) in data.items()}

    runs = []
    for seed in range(arguments.seeds):
        started = time.perf_counter()
        keras.utils.set_random_seed(seed)
        training = tf.data.Dataset.from_tensor_slices((images["train"], targets["train"]))
        training = training.shuffle(len(images["train"])).batch(BATCH_SIZE)
        if arguments.flips:
            augment = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
            training = training.map(
                lambda x, y, augment=augment: (augment(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE
            )
        training = training.prefetch(tf.data.AUTOTUNE)
        outputs, activation = (len(classes), "softmax") if classification else (1, None)
        model = make_model(images["train"].shape[1:], outputs, activation)
        loss = "sparse_categorical_crossentropy" if classification else "mse"
        model.compile(keras.optimizers.Adam(0.001), loss)
        model.fit(
            training,
            epochs=EPOCHS,
            validation_data=(images["validation"], targets["validation"]),
            callbacks=[
                keras.callbacks.ReduceLROnPlateau(patience=5),
                keras.callbacks.EarlyStopping(patience=12, restore_best_weights=True),
            ],
            verbose=0,
        )
        run = {"seconds": time.perf_counter() - started}
        for split in ("validation", "test"):
            predictions = model.predict(images[split], verbose=0)
            if classification:
                run[split] = float(accuracy_score(targets[split], predictions.argmax(axis=1)))
            else:
                run[split] = float(r2_score(targets[split], predictions[:, 0]))
        runs.append(run)
        keras.backend.clear_session()
    print(json.dumps({"runs": runs}))


if __name__ == "__main__":
    main()
