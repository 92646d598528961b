"""Reducing pictures to a few cells, each the average of a part: what they show, without fine detail."""

import numpy as np

from image_recipes.data.decode import Shape

# on each side of a picture
CELLS = 10
# cells are whole numbers, in so many parts of a level
PARTS = 256


def content_boxes(widths: np.ndarray, heights: np.ndarray, shape: Shape) -> np.ndarray:
    """Tell where in prepared pictures their content lies, without what pads it.

    Args:
        widths: of the originals, in pixels, (N,).
        heights: the same.
        shape: what they were made into.

    Returns:
        int64, (N, 4): top, left, height, width, in pixels.
    """
    if shape.fit != "pad":
        return np.tile(np.array([0, 0, shape.height, shape.width]), (len(widths), 1))
    width = (shape.region.right - shape.region.left) * widths
    height = (shape.region.bottom - shape.region.top) * heights
    scale = np.minimum(shape.width / width, shape.height / height)
    new_height, new_width = (np.maximum(1, np.rint(scale * size)).astype(np.int64) for size in (height, width))
    return np.stack([(shape.height - new_height) // 2, (shape.width - new_width) // 2, new_height, new_width], axis=1)


def to_cells(pictures: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Average the content of pictures in CELLS x CELLS parts of equal size.

    Args:
        pictures: uint8, (N, H, W, C).
        boxes: as `content_boxes` returns them.

    Returns:
        uint16, (N, CELLS x CELLS x C), in 1 / PARTS of a level.
    """
    _, height, width, channels = pictures.shape
    cells = np.empty((len(pictures), CELLS, CELLS, channels), np.uint16)
    for box in np.unique(boxes, axis=0):
        numbers = np.flatnonzero((boxes == box).all(axis=1))
        rows = _weights(height, box[0], box[2])
        columns = _weights(width, box[1], box[3])
        # one axis after the other, each as a product of matrices
        content = pictures[numbers].astype(np.float32).reshape(len(numbers), height, -1)
        halfway = (rows @ content).reshape(len(numbers), CELLS, width, channels)
        averages = columns @ halfway
        cells[numbers] = np.rint(averages * PARTS)
    return cells.reshape(len(pictures), -1)


def _weights(size: int, start: int, length: int) -> np.ndarray:
    """Return the share of each of `size` pixels in each cell, (CELLS, size)."""
    edges = start + np.arange(CELLS + 1) * length / CELLS
    pixels = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (np.maximum(overlap, 0) * CELLS / length).astype(np.float32)
