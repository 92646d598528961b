"""The recipes that `image-recipes add` proposes: chosen on small tasks of several kinds by `make bench-defaults`."""

import math
from pathlib import Path
from typing import Any

from image_recipes.commands.by_task import COMMANDS
from image_recipes.core.tasks import Task
from image_recipes.models.recipe import RANDOM

BATCH_SIZE = 32
# few pictures take more epochs: an optimizer needs so many steps, and a schedule time to come down
STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 800, 20, 100
FINE_TUNING_EPOCHS = 5
# pictures this large begin with a convolution that halves them: as good, and four times as fast
LARGE_SIDE = 112
FILTERS = (16, 32, 64, 128)
# in a row, that the last pooling leaves
CELLS = 3
# moved, never turned or mirrored, since that changes what a digit, a letter or a gauge says; without mixing
# neighbouring pixels, since that washes out small spots
AUGMENTATION = {
    "RandomTranslation": {
        "height_factor": 0.1,
        "width_factor": 0.1,
        "fill_mode": "nearest",
        "interpolation": "nearest",
    }
}
# smaller pictures are made this large for a network that was trained on large ones
LEAST_SIDE_FOR_TRANSFER = 96


def make_layers(side: int) -> tuple[str, list[Any]]:
    """Make a convolutional network's name and layers.

    Normalization keeps it from getting stuck at one answer. The last pooling leaves nine cells at
    most, of which each is an average: so what is counted is counted, and where it was is not forgotten.

    Args:
        side: of the pictures, in pixels.
    """
    layers: list[Any] = []
    left = side
    for number, filters in enumerate(FILTERS):
        halving = {"strides": 2} if side >= LARGE_SIDE and not number else {}
        if number:
            layers.append({"MaxPooling2D": {"pool_size": 2, "padding": "same"}})
        layers += [
            {"Conv2D": {"filters": filters, "kernel_size": 3, **halving, "padding": "same", "use_bias": False}},
            # a few pictures are few steps: Keras's own 0.99 takes hundreds to follow
            {"BatchNormalization": {"momentum": 0.9}},
            {"Activation": {"activation": "relu"}},
        ]
        left = -(-left // 2) if number or halving else left
    cells = {"pool_size": -(-left // CELLS), "padding": "same"}
    layers += [{"AveragePooling2D": cells}, {"Flatten": None}, {"Dropout": {"rate": 0.3}}]
    return f"cnn_for_{side}_pixels", layers


def make_transfer_layers(network: str | None, side: int) -> tuple[str, list[Any]]:
    """Make the name and the layers of what starts from a network's weights, or from another recipe's model.

    Args:
        network: None for a model.
        side: of the pictures, in pixels.
    """
    if network is None:
        return "trained", [{"Trained": None}]
    larger = [{"Resizing": {"height": LEAST_SIDE_FOR_TRANSFER, "width": LEAST_SIDE_FOR_TRANSFER}}]
    small = side < LEAST_SIDE_FOR_TRANSFER
    head = [{"GlobalAveragePooling2D": None}, {"BatchNormalization": {"momentum": 0.9}}, {"Dropout": {"rate": 0.2}}]
    return f"on_{network}" + ("_enlarged" if small else ""), [*(larger if small else []), {network: None}, *head]


def make_recipe(dataset: str, task: Task, architecture: str, pictures: int) -> dict[str, Any]:
    """Make the settings of a recipe that learns from random weights.

    Args:
        dataset: its name.
        task: of the dataset.
        architecture: its name.
        pictures: how many there are to learn from, about.
    """
    epochs = _epochs(pictures)
    return {
        **_first_settings(dataset, architecture, RANDOM, epochs),
        "optimizer": _adam(0.003),
        "augmentation": [AUGMENTATION],
        **_other_settings(task, epochs),
    }


def make_transfer_recipe(
    dataset: str, task: Task, architecture: str, pictures: int, start_from: Path
) -> dict[str, Any]:
    """Make the settings of a recipe that starts from trained weights: first its last layers learn, then all.

    The arguments are those of `make_recipe`, and `start_from` the file of weights or the model.
    """
    epochs = _epochs(pictures)
    return {
        **_first_settings(dataset, architecture, start_from.as_posix(), epochs),
        "optimizer": _adam(0.001),
        # no augmentation: so what the frozen network makes of the pictures is computed once
        **_other_settings(task, epochs),
        "fine_tuning": {"epochs": FINE_TUNING_EPOCHS, "optimizer": _adam(0.0003)},
    }


def _first_settings(dataset: str, architecture: str, start_from: str, epochs: int) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "architecture": architecture,
        "start_from": start_from,
        "epochs": epochs,
        "batch_size": BATCH_SIZE,
        "precision": "float32",
        "jit_compile": "auto",
    }


def _other_settings(task: Task, epochs: int) -> dict[str, Any]:
    stopping = {"monitor": "val_loss", "patience": -(-epochs // 2), "restore_best_weights": True}
    return {**COMMANDS[task].default_settings, "early_stopping": stopping}


def _epochs(pictures: int) -> int:
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, round(STEPS / math.ceil(max(1, pictures) / BATCH_SIZE))))


def _adam(rate: float) -> dict[str, Any]:
    """Make Adam with a rate that rises for a tenth of the steps, then falls to zero along a cosine."""
    return {
        "name": "Adam",
        "learning_rate": {
            "name": "CosineDecay",
            "initial_learning_rate": float(f"{rate / 10:g}"),
            "warmup_target": rate,
            "warmup_steps": 0.1,
        },
    }
