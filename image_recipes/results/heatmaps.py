"""Heat maps: where in a picture a model has found what it answers."""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from PIL import Image

from image_recipes.core.files import written_whole
from image_recipes.core.loading import by_stage, check_array, check_positions, check_zip, loading
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task

HEATMAPS_FOLDER = Path("data/heatmaps")
# what a warm colour means
WARM: dict[Task, str] = {
    CLASSIFICATION: "Warm is what speaks for the predicted class.",
    REGRESSION: "Warm is what moves the predicted number, up or down.",
}
# from black by red to yellow, ever lighter, so that it can be read without seeing colours
COLOURS = colormaps["inferno"]
# of a picture under its map, so that what is warm stands out from white too
MOST_GREY = 0.7
MOST_OPAQUE = 0.85


class Heatmaps(NamedTuple):
    """Heat maps of some pictures.

    Attributes:
        indices: int64 (N,), the pictures' positions in the prepared images.
        maps: uint8 (N, H, W), 255 for the strongest influence on the answer that a picture has anywhere, for it
            or against it; 0 where nothing counts.
        method: what made them, or why there are none.
    """

    indices: np.ndarray
    maps: np.ndarray
    method: str


def save_heatmaps(heatmaps: Heatmaps, file: Path) -> None:
    """Write heat maps as one file that is the same whenever it is written, whole or not at all."""
    with written_whole(file) as partial:
        np.savez_compressed(partial, indices=heatmaps.indices, maps=heatmaps.maps, method=heatmaps.method)


def load_heatmaps(dataset: str, recipe: str) -> Heatmaps | None:
    """Read a recipe's heat maps; None if nobody has made any.

    Raises:
        UserError: the file is damaged.
    """
    file = HEATMAPS_FOLDER / dataset / f"{recipe}.npz"
    if not file.exists():
        return None
    with loading(file, by_stage(f"heatmaps@{recipe}")):
        with zipfile.ZipFile(file) as archive:
            check_zip(archive)
        with np.load(file, allow_pickle=False) as arrays:
            indices = check_array(arrays["indices"], np.int64, (None,), "indices")
            maps = check_array(arrays["maps"], np.uint8, (len(indices), None, None), "maps")
            check_positions(indices, None)
            return Heatmaps(indices, maps, str(arrays["method"]))


def lay_over(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Lay a heat map over a picture in grey, the more opaque the higher it is.

    Args:
        image: uint8 (H, W, C), C = 1 or 3.
        heat: uint8 (H, W).

    Returns:
        uint8 (H, W, 3).
    """
    whole = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    grey = np.asarray(whole.convert("L"), np.float32)[..., np.newaxis] * MOST_GREY
    share = heat[..., np.newaxis].astype(np.float32) / 255
    colour = COLOURS(heat)[..., :3].astype(np.float32) * 255
    opacity = MOST_OPAQUE * np.sqrt(share)
    return np.round(grey * (1 - opacity) + colour * opacity).astype(np.uint8)
