"""Galleries: pictures with their real, and their predicted, class or number, in the lectures' manner."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from image_recipes.core.dataset import DatasetInfo
from image_recipes.figures.canvas import save_figure
from image_recipes.figures.fonts import choose_fonts, without_warnings
from image_recipes.figures.titles import break_titles
from image_recipes.results.names import show_name

GALLERY_SIDE = 5
GALLERY_CELLS = GALLERY_SIDE**2
# what is to be shown of a picture, such as `R: 3` and `P: 5`
Title = tuple[str, ...]


def draw_gallery(images: Sequence[np.ndarray], titles: Sequence[Title], file: Path) -> None:
    """Draw up to 25 pictures on a 5x5 grid; cells without a picture stay blank.

    Args:
        images: uint8, (H, W, C) each, C = 1 or 3.
        titles: one for each picture. Its parts stand in one line where all titles find room in
            one, else each in lines of its own, in smaller letters.
        file: the PNG to write.
    """
    figure = Figure(figsize=(10, 10))
    FigureCanvasAgg(figure)
    grid = figure.subplots(GALLERY_SIDE, GALLERY_SIDE)
    for number, axes in enumerate(grid.flat):
        axes.axis("off")
        if number < len(images):
            axes.imshow(images[number].squeeze(), vmin=0, vmax=255)
            axes.set_title(" ".join(titles[number]))
    choose_fonts(figure)
    with without_warnings():
        break_titles(figure, grid, titles)
    save_figure(figure, file)


def title_class_samples(targets: np.ndarray, info: DatasetInfo) -> list[Title]:
    """Return titles such as `R: 3`, of class numbers (N,)."""
    return [(f"R: {show_name(info.class_names[number])}",) for number in targets]


def title_number_samples(targets: np.ndarray, info: DatasetInfo) -> list[Title]:
    """Return titles such as `R 12`, of numbers (N,)."""
    return [(f"R {number:g}",) for number in targets]


def choose_wrong(predictions: pd.DataFrame) -> pd.DataFrame:
    """Choose the first wrong predictions of classes, as many as a gallery takes."""
    return predictions[predictions["real"] != predictions["predicted"]].head(GALLERY_CELLS)


def choose_first(predictions: pd.DataFrame) -> pd.DataFrame:
    """Choose the first predictions, as many as a gallery takes."""
    return predictions.head(GALLERY_CELLS)


def title_class_predictions(predictions: pd.DataFrame) -> list[Title]:
    """Return titles such as `R: 3`, `P: 5`."""
    pairs = zip(predictions["real"], predictions["predicted"], strict=True)
    return [(f"R: {show_name(real)}", f"P: {show_name(predicted)}") for real, predicted in pairs]


def title_number_predictions(predictions: pd.DataFrame) -> list[Title]:
    """Return titles such as `R 12`, `P 13.4`."""
    pairs = zip(predictions["real"], predictions["predicted"], strict=True)
    return [(f"R {real:g}", f"P {predicted:.1f}") for real, predicted in pairs]
