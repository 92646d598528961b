"""A recipe's heat maps in one figure, each beside its picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from image_recipes.figures.canvas import save_figure
from image_recipes.figures.fonts import choose_fonts, without_warnings
from image_recipes.figures.titles import break_titles
from image_recipes.results.heatmaps import Heatmaps, lay_over
from image_recipes.results.names import show_name
from image_recipes.results.paths import PATH

PAIRS_ABREAST = 3
# inches
SIDE = 2.2
CAPTION_GAP = 0.1


def draw_heatmaps(
    images: Sequence[np.ndarray], shown: pd.DataFrame, heatmaps: Heatmaps, meaning: str, file: Path
) -> None:
    """Draw pictures, each with its heat map over it on its right; of none, a sentence says why.

    Args:
        images: uint8 (H, W, C), one for each row.
        shown: rows of predictions, in the order of the heat maps.
        heatmaps: theirs.
        meaning: of a warm colour, a sentence.
        file: the PNG to write.
    """
    rows = max(1, -(-len(images) // PAIRS_ABREAST))
    figure = Figure(figsize=(2 * SIDE * PAIRS_ABREAST, SIDE * rows))
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, 2 * PAIRS_ABREAST, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    titles: list[tuple[str, ...]] = []
    places = iter(grid.flat)
    for image, heat, row in zip(images, heatmaps.maps, shown.to_dict("records"), strict=True):
        _show(next(places), image)
        _show(next(places), lay_over(image, heat))
        answers = f"real: {_name(row['real'])}", f"predicted: {_name(row['predicted'])}"
        # tables of earlier versions have no paths
        titles += [answers, (show_name(row.get(PATH, f"#{row['index']}")),)]
    for axes, title in zip(grid.flat, titles, strict=False):
        axes.set_title(", ".join(title))
    choose_fonts(figure)
    with without_warnings():
        break_titles(figure, grid.tolist(), titles)
        words = f"Heat maps: {heatmaps.method}. {meaning if titles else ''}".rstrip()
        below = figure.subplotpars.bottom - CAPTION_GAP / figure.get_figheight()
        figure.text(0.5, below, words, ha="center", va="top")
    save_figure(figure, file)


def _show(axes: Axes, image: np.ndarray) -> None:
    grey = image.shape[-1] == 1
    axes.imshow(image[..., 0] if grey else image, cmap="gray" if grey else None, vmin=0, vmax=255)


def _name(answer: object) -> str:
    return show_name(answer) if isinstance(answer, str) else f"{answer:.4g}"
