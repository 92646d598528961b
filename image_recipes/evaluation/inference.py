"""Running a trained model over the pictures of a split, and judging it by the metrics it was compiled with."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.random_projection import SparseRandomProjection

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.core.tasks import Task
from image_recipes.models.backend import keras
from image_recipes.models.compiling import encode_for, load_own_metrics
from image_recipes.models.embedding import predict_in_pieces
from image_recipes.models.feeding import evaluation_batches
from image_recipes.models.reliability import COVERAGE, Judgement, Reliability
from image_recipes.results.metrics import Metrics

OUTPUTS_AT_ONCE = 10_000
# bounds the memory that features take: wider ones are projected at random
MOST_FEATURES = 2_048


def predict(model: keras.Model, pictures: Subset) -> np.ndarray:
    """Predict pictures in order.

    Args:
        model: takes raw pictures.
        pictures: N of them.

    Returns:
        float32: classification (N, classes), probabilities; regression (N, 1).
    """
    return model.predict(evaluation_batches(pictures, model), verbose=0)


class Inference(NamedTuple):
    """What a model makes of N pictures.

    Attributes:
        outputs: as `predict` returns them.
        judgement: how far to trust them, at the usual coverage.
        features: what the head has made them from, float32 (N, d). Of more than 2,048 features so many projections,
            the same ones for any pictures.
    """

    outputs: np.ndarray
    judgement: Judgement
    features: np.ndarray


def predict_and_judge(model: keras.Model, reliability: Reliability, pictures: Subset, task: Task) -> Inference:
    """Predict pictures in order, and judge how far to trust that.

    Args:
        model: as `add_embedding` returns it: made once, since Keras prepares it at its first use.
        reliability: of the model.
        pictures: N of them.
        task: of the model.
    """
    project = _plan_projection(model.output_shape[0][-1])
    found = [
        (outputs, *reliability.judge(task, outputs, embedding, COVERAGE), project(embedding))
        for embedding, outputs in predict_in_pieces(model, pictures)
    ]
    outputs, calibrated, regions, unfamiliar, features = zip(*found, strict=True)
    region = None if regions[0] is None else np.concatenate(regions)
    judgement = Judgement(np.concatenate(calibrated), region, np.concatenate(unfamiliar))
    return Inference(np.concatenate(outputs), judgement, np.concatenate(features))


def _plan_projection(width: int) -> Callable[[np.ndarray], np.ndarray]:
    if width <= MOST_FEATURES:
        return lambda features: features
    # it goes by the shape alone
    projection = SparseRandomProjection(MOST_FEATURES, random_state=0).fit(np.zeros((1, width), np.float32))
    # where a network has diverged, scikit-learn would refuse its features
    return lambda features: np.asarray(features @ projection.components_.T, np.float32)


def score_by_own_metrics(model: keras.Model, targets: np.ndarray, outputs: np.ndarray, info: DatasetInfo) -> Metrics:
    """Compute the metrics that a recipe names beside its task's own.

    Args:
        model: as training has saved it, compiled with them.
        targets: (N,).
        outputs: the model's, (N, classes) or (N, 1).
        info: the dataset's.

    Returns:
        By the metric's name; nothing, if the recipe names none.
    """
    figures = {}
    for metric in load_own_metrics(model):
        for start in range(0, len(targets), OUTPUTS_AT_ONCE):
            part = slice(start, start + OUTPUTS_AT_ONCE)
            metric.update_state(encode_for(model, targets[part], info), outputs[part])
        figures[metric.name] = float(metric.result())
    return figures
