"""What a recipe's model makes of the pictures of a split, as files and figures say it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.evaluation.inference import predict_and_judge, score_by_own_metrics
from image_recipes.models.backend import keras
from image_recipes.models.embedding import add_embedding
from image_recipes.models.reliability import Judgement, Reliability
from image_recipes.results.metrics import Metrics
from image_recipes.results.paths import insert_paths
from image_recipes.results.predictions import insert_judgement, tabulate_predictions


class EvaluatedSplit(NamedTuple):
    """What is known of the N pictures of a split.

    Attributes:
        predictions: a row for each, with its path and how far to trust it.
        metrics: of the network's own outputs, so that its loss is the one of the curves.
        judgement: how far to trust the predictions.
        features: float32, (N, d), what the head has made them from.
    """

    predictions: pd.DataFrame
    metrics: Metrics
    judgement: Judgement
    features: np.ndarray


class Evaluator:
    """Evaluates splits by a trained model.

    Args:
        model: as training has saved it.
        reliability: of the model.
        info: the dataset's.
        folder: holds the prepared dataset.
    """

    def __init__(self, model: keras.Model, reliability: Reliability, info: DatasetInfo, folder: Path) -> None:
        self._model, self._reliability, self._info, self._folder = model, reliability, info, folder
        self._with_embedding = add_embedding(model)

    def evaluate(self, pictures: Subset) -> EvaluatedSplit:
        """Predict the pictures of a split, once, and score that."""
        info = self._info
        outputs, judgement, features = predict_and_judge(self._with_embedding, self._reliability, pictures, info.task)
        table = insert_paths(tabulate_predictions(pictures, judgement.outputs, info), self._folder)
        return EvaluatedSplit(
            insert_judgement(table, judgement.region, judgement.unfamiliar, info),
            {
                **EVALUATION[info.task].score(tabulate_predictions(pictures, outputs, info)),
                **score_by_own_metrics(self._model, pictures.targets, outputs, info),
            },
            judgement,
            features,
        )
