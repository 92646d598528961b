"""The lectures' scripts in plain Keras 3: `fit` on arrays, with its defaults.

The environment variable KERAS_BACKEND chooses TensorFlow or JAX below it.
"""

import keras
from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D

from benchmarks.contender import SEED, Laps, Work, compete


def mlp(third_activation: str | None, head: list) -> list:
    """Return the MLP's layers; the lecture on numbers leaves the third without an activation."""
    return [
        Flatten(),
        Dense(256, activation="relu"),
        Dense(256, activation="relu"),
        Dense(256, activation=third_activation),
        *head,
    ]


def cnn(head: list) -> list:
    """Return the CNN's layers."""
    return [
        Conv2D(32, (3, 3), activation="relu"),
        MaxPooling2D(pool_size=(2, 2)),
        Conv2D(32, (3, 3), activation="relu"),
        MaxPooling2D(pool_size=(2, 2)),
        Flatten(),
        Dense(256, activation="relu"),
        *head,
    ]


def deep_cnn(head: list) -> list:
    """Return the deep CNN's layers."""
    return [
        Conv2D(32, (3, 3), activation="relu"),
        Conv2D(32, (3, 3), activation="relu"),
        MaxPooling2D(pool_size=(2, 2)),
        Dropout(0.25),
        Conv2D(64, (3, 3), activation="relu"),
        Conv2D(64, (3, 3), activation="relu"),
        MaxPooling2D(pool_size=(2, 2)),
        Dropout(0.25),
        Flatten(),
        Dense(256, activation="relu"),
        Dropout(0.5),
        *head,
    ]


LAYERS = {
    "mnist_mlp": lambda: mlp("relu", [Dense(10, activation="softmax")]),
    "mnist_cnn": lambda: cnn([Dense(10, activation="softmax")]),
    "mnist_deep_cnn": lambda: deep_cnn([Dense(10, activation="softmax")]),
    "dots_mlp": lambda: mlp(None, [Dense(1)]),
    "dots_cnn": lambda: cnn([Dense(1)]),
}


def main(work: Work, laps: Laps) -> tuple[int, str]:
    """Train."""
    keras.utils.set_random_seed(SEED)
    (x_train, y_train), (x_val, y_val) = work.load("train"), work.load("validation")
    x_train, x_val = x_train.astype("float32") / 255.0, x_val.astype("float32") / 255.0
    model = keras.Sequential([keras.Input(x_train.shape[1:]), *LAYERS[work.recipe]()])
    if work.classification:
        y_train, y_val = keras.utils.to_categorical(y_train), keras.utils.to_categorical(y_val)
        model.compile(
            loss="categorical_crossentropy", optimizer=keras.optimizers.SGD(work.learning_rate), metrics=["accuracy"]
        )
        monitor = "val_accuracy"
    else:
        model.compile(loss="mse", optimizer=keras.optimizers.Adam(work.learning_rate))
        monitor = "val_loss"
    end_epoch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: laps.end_epoch(logs[monitor]))
    laps.start()
    model.fit(
        x_train,
        y_train,
        batch_size=work.batch_size,
        epochs=work.epochs,
        validation_data=(x_val, y_val),
        verbose=0,
        callbacks=[end_epoch],
    )
    # without a kind, since JAX fails where it has none of it
    devices = keras.distribution.list_devices()
    return model.count_params(), "gpu" if any("gpu" in name.lower() for name in devices) else "cpu"


if __name__ == "__main__":
    compete(main, "keras", "jax" if keras.backend.backend() == "jax" else "tensorflow")
