"""What `image-recipes predict` writes: a CSV table, or a line of JSON for each picture."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from image_recipes.commands.by_task import COMMANDS
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError, did_you_mean, show_path
from image_recipes.core.files import written_whole
from image_recipes.results.by_task import BETWEEN_CLASSES

Row = dict[str, Any]


class Wanted(NamedTuple):
    """What is wanted of each picture.

    Attributes:
        format: a key of FORMATS.
        top: so many of the best classes.
        all_classes: the probability of every class.
        ranked: those first that would teach most if they were labelled.
    """

    format: str
    top: int
    all_classes: bool
    ranked: bool = False


def check_wanted(wanted: Wanted, info: DatasetInfo, model: str) -> None:
    """Check that a model can give what is wanted.

    Raises:
        UserError: there is no such format, or it predicts a number, or a class has a column's name.
    """
    if wanted.format not in FORMATS:
        raise UserError(f"--format: no format {wanted.format!r}: {did_you_mean(wanted.format, FORMATS)}")
    option = "--all" if wanted.all_classes else "--top" if wanted.top > 1 else ""
    if option and info.classes is None:
        raise UserError(f"{option}: {model} predicts a number: leave the option out, which is for classes")
    ranks = [f"{column}_{rank}" for column in ("class", "probability") for rank in range(2, wanted.top + 1)]
    ranks += ["rank"] if wanted.ranked else []
    taken = {"path", *COMMANDS[info.task].answer_columns, *ranks} & set(info.classes or [])
    if wanted.all_classes and taken and wanted.format == "csv":
        raise UserError(f"--all: a class is called {taken.pop()}, as a column is: take --format jsonl")


def to_row(file: Path, answer: Sequence[Any], output: np.ndarray | None, info: DatasetInfo, wanted: Wanted) -> Row:
    """Return what is said of a picture: texts by column; `top` and `probabilities` hold what was asked for besides."""
    row: Row = {"path": show_path(file), **dict(zip(COMMANDS[info.task].answer_columns, answer, strict=True))}
    if output is None or info.classes is None:
        return row
    if wanted.top > 1:
        best = np.argsort(-output, kind="stable")[: wanted.top]
        row["top"] = [(info.classes[number], f"{output[number]:.4f}") for number in best]
    if wanted.all_classes:
        row["probabilities"] = {name: f"{value:.4f}" for name, value in zip(info.classes, output, strict=True)}
    return row


def _to_csv(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        line = {name: _to_text(value) for name, value in row.items() if name not in ("top", "probabilities")}
        for rank, (name, probability) in enumerate(row.get("top", [])[1:], start=2):
            line |= {f"class_{rank}": name, f"probability_{rank}": probability}
        lines.append({**line, **row.get("probabilities", {})})
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()


def tell_doubts(rows: Sequence[Row]) -> list[str]:
    """Say how many of the pictures call for a second look, a line for each reason."""
    lines = []
    if strange := sum(row["unfamiliar"] is True for row in rows):
        lines.append(
            f"unfamiliar: {strange:,} of {len(rows):,} pictures are unlike those that the model was trained on"
        )
    empty = sum(row.get("prediction_set") == [] for row in rows)
    if empty:
        reason = "the model is right more often than --coverage asks, so sets leave out some: a larger one fills them"
        lines.append(f"prediction_set: empty for the {empty:,} least sure of {len(rows):,} pictures: {reason}")
    return lines


def _to_json_lines(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        line = {name: JSON_VALUES[name](value) if name in JSON_VALUES else value for name, value in row.items()}
        if "top" in row:
            line["top"] = [{"class": name, "probability": float(value)} for name, value in row["top"]]
        if "probabilities" in row:
            line["probabilities"] = {name: float(value) for name, value in row["probabilities"].items()}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)


def _to_text(value: Any) -> Any:
    return BETWEEN_CLASSES.join(value) if isinstance(value, list) else value


def _number_or_none(text: str | None) -> float | None:
    return None if text is None else float(text)


# what JSON has for the texts of a CSV table
JSON_VALUES: dict[str, Callable[[Any], Any]] = {
    "probability": float,
    "number": float,
    "low": _number_or_none,
    "high": _number_or_none,
}
FORMATS: dict[str, Callable[[Sequence[Row]], str]] = {"csv": _to_csv, "jsonl": _to_json_lines}


def write_rows(rows: Sequence[Row], wanted: Wanted, output: Path | None) -> None:
    """Write rows to a file, or print them."""
    text = FORMATS[wanted.format](rows)
    if output is not None:
        with written_whole(output) as partial:
            # as it is, since the names of files may hold any kind of line break
            partial.write_text(text, "utf-8", newline="")
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # of a program such as head, which wants no more; Python writes once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
