"""Heat maps for the report: where each model looked, laid over the pictures."""

import numpy as np

from image_recipes.results.heatmaps import lay_over, load_heatmaps


def load_overlays(dataset: str, recipe: str, images: np.ndarray) -> dict[int, np.ndarray]:
    """Load the pictures of a dataset whose answers a recipe's heat maps explain, with these over them.

    Args:
        dataset: its name.
        recipe: the recipe's.
        images: uint8 (N, H, W, C), the dataset's prepared ones.

    Returns:
        uint8 (H, W, 3), by the picture's position in the images. None where the stage `heatmaps` has not run or is
        switched off, or has seen pictures of another size.

    Raises:
        UserError: the file of heat maps is damaged.
    """
    heatmaps = load_heatmaps(dataset, recipe)
    if heatmaps is None or heatmaps.maps.shape[1:] != images.shape[1:3]:
        return {}
    pairs = zip(heatmaps.indices.tolist(), heatmaps.maps, strict=True)
    return {index: lay_over(images[index], heat) for index, heat in pairs if index < len(images)}
