"""Heat maps of pictures, by the method that suits a model."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.explanation.gradcam import find_feature_layer, map_gradients
from image_recipes.explanation.occlusion import map_occlusion
from image_recipes.explanation.scores import answer_with_scores
from image_recipes.models.backend import keras
from image_recipes.results.heatmaps import Heatmaps

# of a map, what counts: for a class, what speaks for it; for a number, what moves it, up or down
COUNTED: dict[Task, Callable[[np.ndarray], np.ndarray]] = {
    CLASSIFICATION: lambda values: np.maximum(values, 0),
    REGRESSION: np.abs,
}


def explain(model: keras.Model, images: np.ndarray, indices: np.ndarray, task: Task) -> Heatmaps:
    """Make heat maps: by Grad-CAM of a model with a convolution, by occlusion of others.

    Args:
        model: as `load_model` returns it; its head is changed.
        images: uint8 (N, H, W, C).
        indices: (N,), the pictures' positions in the prepared images.
        task: the model's.

    Returns:
        Maps of those pictures for which the model answers a number at all: of one that has diverged, none.
    """
    scored = answer_with_scores(model)
    layer = find_feature_layer(scored)
    if layer is None:
        method, values = "occlusion", map_occlusion(scored, images)
    else:
        method, values = f"Grad-CAM (HiResCAM) at {layer.name}", map_gradients(scored, layer, images)
    known = np.isfinite(values).all(axis=(1, 2))
    if not known.any():
        method = "none, since the network's answers are no numbers: its training has diverged"
    size = images.shape[2], images.shape[1]
    maps = [_spread(COUNTED[task](_scale(cells)), size) for cells in values[known]]
    return Heatmaps(indices[known], np.array(maps, np.uint8).reshape(-1, *images.shape[1:3]), method)


def _scale(cells: np.ndarray) -> np.ndarray:
    """Divide by the strongest value, for or against: so what hardly speaks for an answer is not made to look so."""
    strongest = np.abs(cells).max()
    return cells / strongest if strongest > 0 else cells


def _spread(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Spread cells of 0-1 over a picture of a width and a height, as uint8 of 0-255."""
    spread = Image.fromarray(cells.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return np.round(np.asarray(spread) * 255).astype(np.uint8)
