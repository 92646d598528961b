"""What the demo's page shows of pictures: thumbnails beside a model's answers, as HTML in both languages."""

import base64
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from PIL import Image

from image_recipes.commands.by_task import COMMANDS
from image_recipes.commands.demo_texts import both, render
from image_recipes.commands.predictor import Predictor, open_predictor, predict_files, tell_limits
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.data.decode import Region, Shape, decode
from image_recipes.data.opening import read_header
from image_recipes.data.picture_files import BadPictureError, read_file
from image_recipes.models.reliability import COVERAGE

CHANCES_SHOWN = 3
# what would be shown as 0.0 % says nothing
LOWEST_CHANCE = 0.0005
# in pixels, of a screen that has two for each
THUMBNAIL_SIDE = 192
WHOLE = Region(left=0, top=0, right=1, bottom=1)
# columns of an answer that are shown large, and as bars
SHOWN_LARGE = {"class", "probability", "number", "unit"}


class AnswerView(NamedTuple):
    """What the page shows of a picture.

    Attributes:
        name: of its file; or empty.
        thumbnail: as a data URI; or empty.
        large: the class, or the number with its unit; or empty.
        chances: the likeliest classes with their probabilities, the best first.
        facts: further values of the answer by the names of their columns.
        problem: why there is no answer; or empty.
        flaw: what is wrong with a file that could be read; or empty.
    """

    name: str
    thumbnail: str
    large: str
    chances: list[tuple[str, float]]
    facts: dict[str, Any]
    problem: str
    flaw: str


@cache
def open_recipe(recipe: str) -> Predictor:
    """Open a trained recipe's model, once.

    Raises:
        UserError: its file is missing or damaged.
    """
    return open_predictor(Path(f"models/{recipe}.keras"), COVERAGE)


def describe(predictor: Predictor) -> Markup:
    """Say what a model takes and returns, and how far its answers can be trusted."""
    info = predictor.info
    height, width, channels = info.image_shape
    colours = "grey" if channels == 1 else "colours"
    commands = COMMANDS[info.task]
    takes = both(f"Takes {width}x{height} pixels in {colours}, and returns: {commands.describe_output(info)}.")
    limits = tell_limits(predictor) or [commands.promise.format(share=f"{predictor.coverage:.0%}")]
    return takes + " " + Markup(" ").join(map(both, limits))


def answer_files(recipe: str, files: Sequence[Path], names: Sequence[str]) -> str:
    """Answer picture files; one that cannot be read has the reason in place of an answer.

    Args:
        recipe: a trained one.
        files: the pictures.
        names: to show of each; empty for one that is to be seen without its name and thumbnail.

    Returns:
        HTML, in which all names are escaped.
    """
    try:
        views = list(_view_answers(recipe, files, names))
    except UserError as error:
        # which the page shows, and goes on
        views = [AnswerView("", "", "", [], {}, str(error), "")]
    return render("answers.html.jinja", answers=views)


@contextmanager
def saved_picture(picture: str | None) -> Iterator[list[Path]]:
    """Save a picture that the page has made, such as a drawing, for as long as it is needed.

    Args:
        picture: a data URI of a PNG; None or empty where there is none.

    Yields:
        Its file, or none.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder) / "picture.png"
        if picture:
            file.write_bytes(base64.b64decode(picture.partition(",")[2]))
        yield [file] if picture else []


def _view_answers(recipe: str, files: Sequence[Path], names: Sequence[str]) -> Iterator[AnswerView]:
    predictor = open_recipe(recipe)
    info = predictor.info
    commands = COMMANDS[info.task]
    for name, prediction in zip(names, predict_files(predictor, files), strict=True):
        answer = zip(commands.answer_columns, prediction.answer, strict=False)
        large, chances = ("", []) if prediction.output is None else _sum_up(prediction.output, info)
        yield AnswerView(
            name=name,
            thumbnail=_make_thumbnail(prediction.file, info) if name else "",
            large=large,
            chances=chances,
            facts={column: _tell_fact(value) for column, value in answer if column not in SHOWN_LARGE},
            problem=prediction.error,
            flaw=prediction.flaw,
        )


def _tell_fact(value: Any) -> Any:
    """Return what the page shows of an answer's value: of a set of classes, the first few."""
    if not isinstance(value, list):
        return value
    if not value:
        return both("empty: no class is as probable as the true one mostly is")
    names = ", ".join(value[:CHANCES_SHOWN])
    return f"{names} and {len(value) - CHANCES_SHOWN:,} more" if len(value) > CHANCES_SHOWN else names


def _sum_up(output: np.ndarray, info: DatasetInfo) -> tuple[str, list[tuple[str, float]]]:
    """Return the class, or the number with its unit, and the likeliest classes with their probabilities."""
    shown = COMMANDS[info.task].show_output(output, info)
    if isinstance(shown, str):
        return shown, []
    best = sorted(shown.items(), key=lambda chance: -chance[1])[:CHANCES_SHOWN]
    return best[0][0], [chance for chance in best if chance[1] >= LOWEST_CHANCE]


def _make_thumbnail(file: Path, info: DatasetInfo) -> str:
    ranges = None if info.pixel_range is None else {kind: (low, high) for kind, (low, high) in info.pixel_range.items()}
    try:
        content = read_file(file)
        header = read_header(content)
        scale = min(1.0, THUMBNAIL_SIDE / max(header.width, header.height))
        height, width = (max(1, round(scale * side)) for side in (header.height, header.width))
        picture = decode(content, Shape(height, width, header.channels, "stretch", WHOLE, ranges)).picture
    except BadPictureError:
        return ""
    image = Image.fromarray(picture.squeeze(-1) if header.channels == 1 else picture)
    kind = "PNG" if scale == 1 else "JPEG"
    stream = io.BytesIO()
    image.save(stream, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"
