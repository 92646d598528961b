"""Galleries: pictures with their real, and their predicted, class or number, in the lectures' manner."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from image_recipes.core.dataset import DatasetInfo
from image_recipes.figures.canvas import save_figure
from image_recipes.figures.fonts import choose_fonts, without_warnings
from image_recipes.figures.titles import break_titles, head_figure
from image_recipes.results.names import shorten, show_name
from image_recipes.results.paths import name_files
from image_recipes.results.predictions import PROBABILITY, rank_by_confidence
from image_recipes.results.tables import format_probability

GALLERY_SIDE = 5
GALLERY_CELLS = GALLERY_SIDE**2
# in inches: of a full grid, and of one of a single row
FULL_SIDE = 10
ROW_HEIGHT = 1.724
# of a file's name
NAME_CELLS = 24
# what is to be shown of a picture, such as `real: 3` and `predicted: 5`
Title = tuple[str, ...]


class Shown(NamedTuple):
    """What a gallery shows: rows of predictions, and what is said above them."""

    predictions: pd.DataFrame
    heading: str


def draw_gallery(images: Sequence[np.ndarray], titles: Sequence[Title], heading: str, file: Path) -> None:
    """Draw up to 25 pictures, five abreast; cells without a picture stay blank.

    Args:
        images: uint8, (H, W, C) each, C = 1 or 3.
        titles: one for each picture. Its parts stand in one line where all titles find room in
            one, else each in lines of its own, in smaller letters.
        heading: what stands above them all.
        file: the PNG to write.
    """
    rows = max(1, -(-len(images) // GALLERY_SIDE))
    height = ROW_HEIGHT + (FULL_SIDE - ROW_HEIGHT) * (rows - 1) / (GALLERY_SIDE - 1)
    figure = Figure(figsize=(FULL_SIDE, height))
    FigureCanvasAgg(figure)
    grid = [list(row) for row in figure.subplots(rows, GALLERY_SIDE, squeeze=False)]
    for number, axes in enumerate(chain.from_iterable(grid)):
        axes.axis("off")
        if number < len(images):
            show_picture(axes, images[number])
            axes.set_title(", ".join(titles[number]))
    choose_fonts(figure)
    with without_warnings():
        break_titles(figure, grid, titles)
        head_figure(figure, grid[0], heading)
    save_figure(figure, file)


def show_picture(axes: Axes, image: np.ndarray) -> None:
    """Show a picture, (H, W, C) uint8, as it is: one of a single channel is grey."""
    grey = image.shape[-1] == 1
    axes.imshow(image[..., 0] if grey else image, cmap="gray" if grey else None, vmin=0, vmax=255)


def title_class_samples(targets: np.ndarray, info: DatasetInfo) -> list[Title]:
    """Return titles such as `real: 3`, of class numbers (N,)."""
    return [(f"real: {show_name(info.class_names[number])}",) for number in targets]


def title_number_samples(targets: np.ndarray, info: DatasetInfo) -> list[Title]:
    """Return titles such as `real: 12`, of numbers (N,)."""
    return [(f"real: {number:g}",) for number in targets]


def choose_wrong(predictions: pd.DataFrame) -> Shown:
    """Choose wrong predictions of classes, evenly, as many as a gallery takes; if all are right, the least sure."""
    wrong = predictions[predictions["real"] != predictions["predicted"]]
    if wrong.empty:
        shown = rank_by_confidence(predictions).head(GALLERY_CELLS)
        chosen = "the least sure first" if len(shown) == len(predictions) else f"the {len(shown)} least sure"
        return Shown(shown, f"all {len(predictions):,} test pictures predicted rightly: {chosen}")
    heading = f"{len(wrong):,} of {len(predictions):,} test pictures predicted wrongly"
    return _choose_evenly(wrong, heading)


def choose_some(predictions: pd.DataFrame) -> Shown:
    """Choose predictions evenly, as many as a gallery takes."""
    return _choose_evenly(predictions, f"{len(predictions):,} test pictures")


def _choose_evenly(predictions: pd.DataFrame, heading: str) -> Shown:
    # the first of a person's own pictures may all be of one class
    if len(predictions) <= GALLERY_CELLS:
        return Shown(predictions, heading)
    rows = np.linspace(0, len(predictions) - 1, GALLERY_CELLS).astype(int)
    return Shown(predictions.iloc[rows], f"{heading}: {GALLERY_CELLS} of them, evenly chosen")


def title_class_predictions(predictions: pd.DataFrame) -> list[Title]:
    """Return titles such as `real: 3`, `predicted: 5 (98 %)`."""
    return [
        (
            f"real: {show_name(row['real'])}",
            f"predicted: {show_name(row['predicted'])} ({format_probability(row[PROBABILITY + row['predicted']])})",
        )
        for row in predictions.to_dict("records")
    ]


def title_number_predictions(predictions: pd.DataFrame) -> list[Title]:
    """Return titles such as `real: 12`, `predicted: 13.4`."""
    pairs = zip(predictions["real"], predictions["predicted"], strict=True)
    return [(f"real: {real:g}", f"predicted: {predicted:.1f}") for real, predicted in pairs]


def add_file_names(titles: Sequence[Title], pictures: pd.DataFrame) -> list[Title]:
    """Add to titles the names of the pictures' files, where they are files of their own.

    Args:
        titles: one for each picture.
        pictures: a row for each, as `results.paths.insert_paths` returns them.
    """
    names = [(shorten(name, NAME_CELLS),) if name else () for name in name_files(pictures)]
    return [(*title, *name) for title, name in zip(titles, names, strict=True)]
