"""Drawing the pictures that were refused, as far as they can be seen."""

import textwrap
import warnings
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image, ImageFile

from image_recipes.data.opening import MAX_PIXELS
from image_recipes.data.picture_files import PICTURE_FORMATS
from image_recipes.data.problems import STOPS_RUN, load_problems
from image_recipes.figures.canvas import save_figure
from image_recipes.results.names import show_name

GRID_SIDE = 5
THUMBNAIL_SIZE = (160, 160)
TITLE_LENGTH = 30


def draw_refused(raw: Path, folder: Path) -> None:
    """Draw the first pictures that stop a run, or are skipped, as problems.png beside problems.csv.

    Args:
        raw: the folder that the pictures lie in.
        folder: of the prepared dataset; nothing is drawn if it has no such problems.
    """
    refused = [problem for problem in load_problems(folder) if STOPS_RUN[problem.problem]][: GRID_SIDE**2]
    if not refused:
        return
    rows = -(-len(refused) // GRID_SIDE)
    figure = Figure(figsize=(10, 2 * rows))
    for number, axes in enumerate(figure.subplots(rows, GRID_SIDE, squeeze=False).flat):
        if number >= len(refused):
            axes.axis("off")
            continue
        path, problem, detail = refused[number]
        named = show_name(path)
        # the end of a path tells more than its beginning
        shown = named if len(named) <= TITLE_LENGTH else f"…{named[-TITLE_LENGTH:]}"
        axes.set_title(f"{shown}\n{textwrap.shorten(detail, TITLE_LENGTH, placeholder=' …')}", fontsize=6)
        axes.set_xticks([])
        axes.set_yticks([])
        # a path that leads elsewhere is not followed
        thumbnail = None if problem == "bad path" else _thumbnail(raw / path)
        if thumbnail is not None:
            axes.imshow(thumbnail)
    save_figure(figure, folder / "problems.png")


def _thumbnail(file: Path) -> Image.Image | None:
    """Return as much of a picture as can be decoded."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=PICTURE_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            image.thumbnail(THUMBNAIL_SIZE)
            return image.convert("RGB")
    except Exception:  # it may be no picture at all
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
