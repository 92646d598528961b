"""Occlusion (Zeiler and Fergus 2014): how much of an answer's score is lost where a part of the picture is covered."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from image_recipes.explanation.scores import pick_answers, pick_scores
from image_recipes.models.backend import keras

# of a side, the part that a window covers; it moves by a third of that
WINDOWS_ABREAST = 5
STEPS_A_WINDOW = 3
PIXELS_AT_ONCE = 2**21

# rows and columns
Window = tuple[slice, ...]


def map_occlusion(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Cover a window of each picture in turn, everywhere, with the median colour of the picture.

    Args:
        model: its head gives scores, as `answer_with_scores` leaves it.
        images: uint8 (N, H, W, C).

    Returns:
        float32 (N, H, W): at each pixel, by how much the score falls, on average, under the windows that cover it.
    """
    windows = list(product(*(list(_slide(side)) for side in images.shape[1:3])))
    return np.stack([_map_one(model, image, windows) for image in images])


def _slide(side: int) -> Iterator[slice]:
    window = -(-side // WINDOWS_ABREAST)
    step = -(-window // STEPS_A_WINDOW)
    # over the edges too, so that each pixel is covered about as often
    for start in range(step - window, side, step):
        yield slice(max(0, start), start + window)


def _map_one(model: keras.Model, image: np.ndarray, windows: list[Window]) -> np.ndarray:
    outputs = model(image[np.newaxis], training=False)
    answer, whole = pick_answers(outputs), pick_scores(outputs, pick_answers(outputs))
    colour = np.median(image, axis=(0, 1)).astype(np.uint8)
    falls, times = np.zeros((2, *image.shape[:2]), np.float32)
    at_once = max(1, PIXELS_AT_ONCE // image[..., 0].size)
    for first in range(0, len(windows), at_once):
        chosen = windows[first : first + at_once]
        covered = np.repeat(image[np.newaxis], len(chosen), axis=0)
        for number, window in enumerate(chosen):
            covered[number][window] = colour
        outputs = model(covered, training=False)
        losses = (whole - pick_scores(outputs, np.repeat(answer, len(chosen)))).numpy()
        for window, loss in zip(chosen, losses, strict=True):
            falls[window] += loss
            times[window] += 1
    return falls / times
