"""Predicting new picture files by a trained model, prepared as the pictures that it was trained on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from image_recipes.backend import keras
from image_recipes.datasets import DatasetInfo
from image_recipes.decoders import decode_all
from image_recipes.decoding import Region, Shape
from image_recipes.pipelines import EVALUATION_BYTES

COLUMNS = {"classification": ["path", "class", "probability"], "regression": ["path", "number", "unit"]}


class Prediction(NamedTuple):
    """What a model says of a file: values below COLUMNS, or why it cannot be read."""

    row: list[Any]
    error: str


def predict_files(model: keras.Model, info: DatasetInfo, files: Sequence[Path]) -> Iterator[Prediction]:
    """Predict picture files, some at a time, in order.

    Args:
        model: takes raw pictures.
        info: of the dataset that it was trained on: says how to prepare a picture.
        files: any number of them.
    """
    height, width, channels = info.image_shape
    left, top, right, bottom = info.region
    region = Region(left=left, top=top, right=right, bottom=bottom)
    shape = Shape(height, width, channels, info.fit, region)  # type: ignore[arg-type]
    batch_size = max(32, EVALUATION_BYTES // (height * width * channels))
    waiting: list[tuple[Path, str]] = []
    pictures: list[np.ndarray] = []

    def empty() -> Iterator[Prediction]:
        outputs = iter(model.predict_on_batch(np.stack(pictures)) if pictures else ())
        for file, error in waiting:
            yield (
                Prediction([str(file)], error) if error else Prediction([str(file), *_values(next(outputs), info)], "")
            )
        waiting.clear()
        pictures.clear()

    for file, (report, picture) in zip(files, decode_all(files, shape, model.name), strict=True):
        waiting.append((file, report.error))
        if picture is not None:
            pictures.append(picture)
        if len(pictures) == batch_size:
            yield from empty()
    yield from empty()


def _values(output: np.ndarray, info: DatasetInfo) -> list[Any]:
    if info.classes is None:
        return [f"{output[0]:.7g}", info.unit]
    best = int(output.argmax())
    return [info.classes[best], f"{output[best]:.4f}"]
