"""Running a trained model over the pictures of a split, and judging it by the metrics it was compiled with."""

import numpy as np

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.core.tasks import Task
from image_recipes.models.backend import keras
from image_recipes.models.compiling import encode_for, load_own_metrics
from image_recipes.models.embedding import add_embedding
from image_recipes.models.feeding import evaluation_batches
from image_recipes.models.reliability import COVERAGE, Judgement, Reliability
from image_recipes.results.metrics import Metrics

OUTPUTS_AT_ONCE = 10_000


def predict(model: keras.Model, pictures: Subset) -> np.ndarray:
    """Predict pictures in order.

    Args:
        model: takes raw pictures.
        pictures: N of them.

    Returns:
        float32: classification (N, classes), probabilities; regression (N, 1).
    """
    return model.predict(evaluation_batches(pictures, model), verbose=0)


def predict_and_judge(
    model: keras.Model, reliability: Reliability, pictures: Subset, task: Task
) -> tuple[np.ndarray, Judgement]:
    """Predict pictures in order, and judge how far to trust that, at the usual coverage.

    Args:
        model: takes raw pictures.
        reliability: of the model.
        pictures: N of them.
        task: of the model.

    Returns:
        The model's own outputs, as `predict`, and the judgement.
    """
    both = add_embedding(model)
    found = []
    # embeddings of all pictures at once may not fit in memory
    for start in range(0, len(pictures), OUTPUTS_AT_ONCE):
        part = slice(start, start + OUTPUTS_AT_ONCE)
        some = Subset(pictures.images, pictures.targets[part], pictures.indices[part])
        embedding, outputs = both.predict(evaluation_batches(some, model), verbose=0)
        found.append((outputs, reliability.judge(task, outputs, embedding, COVERAGE)))
    outputs = np.concatenate([outputs for outputs, _ in found])
    calibrated, regions, unfamiliar = zip(*(judgement for _, judgement in found), strict=True)
    region = None if regions[0] is None else np.concatenate(regions)
    return outputs, Judgement(np.concatenate(calibrated), region, np.concatenate(unfamiliar))


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
