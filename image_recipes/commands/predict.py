"""`image-recipes predict`: new picture files by a trained model, prepared as the pictures that it was trained on."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from image_recipes.commands.by_task import COMMANDS
from image_recipes.commands.predict_output import Wanted, check_wanted, to_row, write_rows
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError, show_path
from image_recipes.data.decode import Region, Shape
from image_recipes.data.decode_pool import decode_all
from image_recipes.data.picture_files import find_files
from image_recipes.models.recipe import load_recipe

if TYPE_CHECKING:
    import keras

# as a path: read the paths from standard input
STANDARD_INPUT = Path("-")
NAMED = 3


class Prediction(NamedTuple):
    """What a model says of a file.

    Attributes:
        file: the picture's.
        answer: the values of `answer_columns`; none if the file cannot be read.
        output: of the model, (units,); None if the file cannot be read.
        error: why not; or empty.
        flaw: what is wrong with a file that could be read; or empty.
    """

    file: Path
    answer: list[Any]
    output: np.ndarray | None
    error: str
    flaw: str


def predict_pictures(model: str, paths: Sequence[Path], wanted: Wanted, output: Path | None) -> None:
    """Print, or write, what a model says of pictures; those it cannot read are named and skipped.

    Args:
        model: a recipe's name, or a model file.
        paths: pictures, and folders of pictures; `-` for paths that are read from standard input.
        wanted: what to say of each, and in which format.
        output: the file to write.

    Raises:
        UserError: the recipe is not trained or gives no such answers, or none of the pictures can be read.
    """
    model_file = Path(model if model.endswith(".keras") else f"models/{model}.keras")
    if not model_file.exists() and model_file.parent == Path("models"):
        load_recipe(model_file.stem)
    found = find_files([named for path in paths for named in (_read_paths() if path == STANDARD_INPUT else [path])])
    # here, since TensorFlow takes seconds to import
    from image_recipes.models.saving import load_model, load_model_info

    info = load_model_info(model_file)
    check_wanted(wanted, info, model)
    rows, skipped = [], 0
    for prediction in predict_files(load_model(model_file), info, found.pictures):
        shown = _one_line(prediction.file)
        if prediction.error:
            skipped += 1
            print(f"{shown}: {prediction.error}", file=sys.stderr)
            continue
        if prediction.flaw:
            print(f"{shown}: warning: {prediction.flaw}", file=sys.stderr)
        rows.append(to_row(prediction.file, prediction.answer, prediction.output, info, wanted))
    if not rows:
        raise UserError("none of the pictures can be read")
    write_rows(rows, wanted, output)
    _say_the_rest(found.pictures, found.passed_over, skipped)


def _read_paths() -> list[Path]:
    """Read paths from standard input: one a line, or ended by NUL as `find -print0` writes them."""
    content = sys.stdin.buffer.read()
    names = content.split(b"\0") if b"\0" in content else content.splitlines()
    if not any(names):
        raise UserError("-: no paths on standard input: give one a line")
    return [Path(os.fsdecode(name)) for name in names if name]


def _say_the_rest(pictures: Sequence[Path], passed_over: Sequence[Path], skipped: int) -> None:
    """Say on standard error what is not in the table as it lies on the disk."""
    if skipped:
        print(f"{skipped:,} of {len(pictures):,} pictures were skipped", file=sys.stderr)
    escaped = [file for file in pictures if show_path(file) != str(file)]
    if escaped:
        print(f"names that are not UTF-8 are written escaped: {_name_some(escaped)}", file=sys.stderr)
    if passed_over:
        reason = "hidden files, and what does not end as pictures do, are passed over"
        print(f"{reason}: {_name_some(passed_over)}", file=sys.stderr)


def _name_some(files: Sequence[Path]) -> str:
    more = f" and {len(files) - NAMED:,} more" if len(files) > NAMED else ""
    return ", ".join(map(_one_line, files[:NAMED])) + more


def _one_line(file: Path) -> str:
    """Return a path as it can be shown in a line."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in show_path(file))


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
    ranges = None if info.pixel_range is None else {kind: (low, high) for kind, (low, high) in info.pixel_range.items()}
    shape = Shape(height, width, channels, info.fit, region, ranges)  # type: ignore[arg-type]
    batch_size = max(32, EVALUATION_BYTES // (height * width * channels))
    waiting: list[tuple[Path, str, str]] = []
    pictures: list[np.ndarray] = []

    def empty() -> Iterator[Prediction]:
        outputs = iter(model.predict_on_batch(np.stack(pictures)) if pictures else ())
        for file, error, flaw in waiting:
            if error:
                yield Prediction(file, [], None, error, "")
            else:
                output = next(outputs)
                yield Prediction(file, COMMANDS[info.task].answer(output, info), output, "", flaw)
        waiting.clear()
        pictures.clear()

    for file, (report, picture) in zip(files, decode_all(files, shape, model.name), strict=True):
        waiting.append((file, report.error, report.flaw))
        if picture is not None:
            pictures.append(picture)
        if len(pictures) == batch_size:
            yield from empty()
    yield from empty()
