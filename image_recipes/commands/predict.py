"""`image-recipes predict`: new picture files by a trained model, prepared as the pictures that it was trained on."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from image_recipes.commands.predict_output import Wanted, check_wanted, tell_doubts, to_row, write_rows
from image_recipes.commands.predict_rank import Ranking
from image_recipes.commands.predictor import open_predictor, predict_files, tell_limits
from image_recipes.core.errors import UserError, escape, show_path
from image_recipes.core.files import refuse_folder
from image_recipes.data.picture_files import find_files
from image_recipes.models.recipe import load_recipe

# as a path: read the paths from standard input
STANDARD_INPUT = Path("-")
NAMED = 3


def predict_pictures(model: str, paths: Sequence[Path], wanted: Wanted, output: Path | None, coverage: float) -> None:
    """Print, or write, what a model says of pictures; those it cannot read are named and skipped.

    Args:
        model: a recipe's name, or a model file.
        paths: pictures, and folders of pictures; `-` for paths that are read from standard input.
        wanted: what to say of each, and in which format.
        output: the file to write.
        coverage: of sets and intervals, between 0 and 1.

    Raises:
        UserError: the coverage is not possible, the recipe is not trained or gives no such answers, or none of the
            pictures can be read.
    """
    if output:
        # before the pictures are read
        refuse_folder(output)
    model_file = Path(model if model.endswith(".keras") else f"models/{model}.keras")
    if not model_file.exists() and model_file.parent == Path("models"):
        load_recipe(model_file.stem)
    found = find_files([named for path in paths for named in (_read_paths() if path == STANDARD_INPUT else [path])])
    predictor = open_predictor(model_file, coverage)
    info = predictor.info
    check_wanted(wanted, info, model)
    for line in tell_limits(predictor):
        print(f"{model}: {line}", file=sys.stderr)
    ranking = Ranking(info.task, model) if wanted.ranked else None
    rows, skipped = [], 0
    for prediction in predict_files(predictor, found.pictures):
        shown = _one_line(prediction.file)
        if prediction.output is None:
            skipped += 1
            print(f"{shown}: {prediction.error}", file=sys.stderr)
            continue
        if prediction.flaw:
            print(f"{shown}: warning: {prediction.flaw}", file=sys.stderr)
        rows.append(to_row(prediction.file, prediction.answer, prediction.output, info, wanted))
        if ranking:
            ranking.add(prediction.output, prediction.embedding)
    if not rows:
        raise UserError("none of the pictures can be read")
    if ranking:
        rows = ranking.sort(rows)
    write_rows(rows, wanted, output)
    # at one go: print writes the end of a line by itself, and `| head` may write its own in between
    sys.stderr.write("".join(f"{line}\n" for line in tell_doubts(rows)))
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
    return escape(show_path(file))
