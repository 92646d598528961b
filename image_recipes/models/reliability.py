"""How far to trust a prediction: calibrated probabilities, sets and intervals, and pictures unlike those trained on.

What this needs to know was learned from the validation pictures (`training/calibrating.py`) and travels in the
model's file.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from image_recipes.core.loading import check_array
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task

# the share of new pictures for which sets and intervals are to hold, unless asked otherwise
COVERAGE = 0.9
LEAST_PROBABILITY = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Familiarity:
    """Where the training pictures lie among the embeddings: a Gaussian whose smaller directions are all alike.

    That is probabilistic PCA (Tipping and Bishop 1999), whose Mahalanobis distance needs no large matrix.

    Attributes:
        mean: float32, (d,).
        components: float32, (k, d), orthonormal rows.
        variances: float32, (k,), along these.
        noise: the variance along every other direction; infinite where there is none.
        limit: the distance beyond which a picture is unlike them.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    noise: float
    limit: float

    def check(self) -> None:
        """Check values that were read.

        Raises:
            ValueError: they do not fit each other.
        """
        check_array(self.mean, np.float32, (None,), "mean")
        check_array(self.components, np.float32, (None, len(self.mean)), "components")
        check_array(self.variances, np.float32, (len(self.components),), "variances")
        if not (self.variances > 0).all() or not self.noise > 0 or not self.limit >= 0:
            raise ValueError("variances are not above 0")

    def distances(self, embedding: np.ndarray) -> np.ndarray:
        """Return how far pictures are from those trained on: Mahalanobis distances, (N,), of embeddings (N, d)."""
        centred = embedding.astype(np.float64) - self.mean
        along = centred @ self.components.T.astype(np.float64)
        # by Pythagoras, where rounding can fall below zero
        rest = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        return np.sqrt((along**2 / self.variances).sum(axis=1) + rest / self.noise)


@dataclass(frozen=True)
class Reliability:
    """What was learned from the validation pictures of a model.

    Attributes:
        temperature: divides the logits of classes (Guo et al. 2017); 1 for numbers.
        scores: float32, ascending, how far the true answer of each validation picture was from the model's: 1
            less its calibrated probability (Sadinle et al. 2019), or the absolute error (Lei et al. 2018).
        familiarity: where the training pictures lie.
    """

    temperature: float
    scores: np.ndarray
    familiarity: Familiarity

    def check(self) -> None:
        """Check values that were read.

        Raises:
            ValueError: they are none.
        """
        check_array(self.scores, np.float32, (None,), "scores")
        if not self.temperature > 0:
            raise ValueError("temperature is not above 0")

    def threshold(self, coverage: float) -> float | None:
        """Return the score that the true answer of such a share of new pictures does not exceed.

        That of split conformal prediction: with n scores the one of rank (n + 1) * coverage, rounded up.

        Args:
            coverage: between 0 and 1.

        Returns:
            None where there are too few validation pictures, see `pictures_needed`.
        """
        # 0.9 * 10 is a little more than 9
        rank = math.ceil((len(self.scores) + 1) * coverage - 1e-9)
        return float(self.scores[rank - 1]) if rank <= len(self.scores) else None

    def judge(self, task: Task, outputs: np.ndarray, embedding: np.ndarray, coverage: float) -> "Judgement":
        """Judge what a model has said of N pictures.

        Args:
            task: of the model.
            outputs: of the model, (N, units).
            embedding: of the same pictures, (N, d).
            coverage: between 0 and 1.
        """
        calibrated = CALIBRATE[task](outputs, self.temperature)
        threshold = self.threshold(coverage)
        region = None if threshold is None else REGIONS[task](calibrated, threshold)
        return Judgement(calibrated, region, self.familiarity.distances(embedding) > self.familiarity.limit)


class Judgement(NamedTuple):
    """What is known of N predictions beside themselves.

    Attributes:
        outputs: (N, units): probabilities that are as often right as they say, or the numbers.
        region: what holds the true answer for the wanted share of pictures: which classes, bool (N, classes), or the
            ends of an interval, (N, 2); None if there are too few validation pictures for that share.
        unfamiliar: bool, (N,): unlike the pictures that were trained on.
    """

    outputs: np.ndarray
    region: np.ndarray | None
    unfamiliar: np.ndarray


def pictures_needed(coverage: float) -> int:
    """Return how many validation pictures sets and intervals of a coverage need.

    >>> pictures_needed(0.9), pictures_needed(0.99)
    (9, 99)
    """
    return math.ceil(coverage / (1 - coverage) - 1e-9)


def scale_logits(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Divide the logits of probabilities, (N, classes), by a temperature: which is largest does not change."""
    logits = np.log(np.maximum(probabilities, LEAST_PROBABILITY).astype(np.float64)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


CALIBRATE: Mapping[Task, Callable[[np.ndarray, float], np.ndarray]] = {
    CLASSIFICATION: scale_logits,
    REGRESSION: lambda outputs, temperature: outputs,
}
# how far the true answers (N,) are from calibrated outputs (N, units), (N,)
SCORES: Mapping[Task, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    CLASSIFICATION: lambda outputs, targets: 1 - outputs[np.arange(len(targets)), targets],
    REGRESSION: lambda outputs, targets: np.abs(outputs[:, 0] - targets),
}
# of calibrated outputs (N, units), the answers that are no farther than a threshold
REGIONS: Mapping[Task, Callable[[np.ndarray, float], np.ndarray]] = {
    CLASSIFICATION: lambda outputs, threshold: 1 - outputs <= threshold,
    REGRESSION: lambda outputs, threshold: outputs[:, :1] + np.array([-threshold, threshold]),
}
