"""`image-recipes predict`: new picture files by a trained model, prepared as the pictures that it was trained on."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from image_recipes.commands.by_task import COMMANDS
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.core.files import written_whole
from image_recipes.data.decode import Region, Shape
from image_recipes.data.decode_pool import decode_all, find_files
from image_recipes.models.recipe import load_recipe

if TYPE_CHECKING:
    import keras


class Prediction(NamedTuple):
    """What a model says of a file: the values of `answer_columns`, or why it cannot be read."""

    file: Path
    answer: list[Any]
    error: str


def predict_pictures(model: str, paths: Sequence[Path], output: Path | None) -> None:
    """Print, or write, a CSV table of what a model says of pictures; those it cannot read are named and skipped.

    Args:
        model: a recipe's name, or a model file.
        paths: pictures, and folders of pictures.
        output: the file to write.

    Raises:
        UserError: the recipe is not trained, or none of the pictures can be read.
    """
    model_file = Path(model if model.endswith(".keras") else f"models/{model}.keras")
    if not model_file.exists() and model_file.parent == Path("models"):
        load_recipe(model_file.stem)
    files = find_files(paths)
    # here, since TensorFlow takes seconds to import
    from image_recipes.models.saving import load_model, load_model_info

    info = load_model_info(model_file)
    rows, skipped = [], 0
    for file, answer, error in predict_files(load_model(model_file), info, files):
        if error:
            skipped += 1
            print(f"{file}: {error}", file=sys.stderr)
        else:
            rows.append([str(file), *answer])
    if not rows:
        raise UserError("none of the pictures can be read")
    table = pd.DataFrame(rows, columns=["path", *COMMANDS[info.task].answer_columns])
    if output is None:
        _print(table)
    else:
        with written_whole(output) as partial:
            table.to_csv(partial, index=False)
    if skipped:
        print(f"{skipped:,} of {len(files):,} pictures were skipped", file=sys.stderr)


def _print(table: pd.DataFrame) -> None:
    try:
        table.to_csv(sys.stdout, index=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # of a program such as head, which wants no more; Python writes once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def predict_files(model: "keras.Model", info: DatasetInfo, files: Sequence[Path]) -> Iterator[Prediction]:
    """Predict picture files, some at a time, in order.

    Args:
        model: takes raw pictures.
        info: of the dataset that it was trained on: says how to prepare a picture.
        files: any number of them.
    """
    from image_recipes.models.feeding import EVALUATION_BYTES

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
            yield Prediction(file, [] if error else COMMANDS[info.task].answer(next(outputs), info), error)
        waiting.clear()
        pictures.clear()

    for file, (report, picture) in zip(files, decode_all(files, shape, model.name), strict=True):
        waiting.append((file, report.error))
        if picture is not None:
            pictures.append(picture)
        if len(pictures) == batch_size:
            yield from empty()
    yield from empty()
