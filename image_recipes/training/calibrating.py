"""What a trained model's validation pictures say about how far to trust it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.decomposition import PCA

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.models.backend import keras
from image_recipes.models.embedding import add_embedding, predict_in_pieces
from image_recipes.models.feeding import evaluation_batches
from image_recipes.models.reliability import (
    CALIBRATE,
    LEAST_PROBABILITY,
    SCORES,
    Familiarity,
    Reliability,
    scale_logits,
)

TEMPERATURES = (0.05, 20.0)
# of the logarithm of a temperature, before any picture is seen: a handful of pictures, all of them right, say little
TEMPERATURE_DEVIATION = 1.0
# directions in which training pictures differ that are told apart; each takes some pictures to be known
MOST_COMPONENTS, PICTURES_PER_COMPONENT = 64, 20
# no direction is narrower than that share of the widest: what never varied in training may vary a little
LEAST_VARIANCE = 1e-4
# of pictures of the same kind, the share that counts as such: those beyond are unlike them
FAMILIAR_QUANTILE = 0.99
# enough to know where they lie; of wide embeddings fewer, so that they fit in memory
TRAINING_PICTURES, TRAINING_BYTES = 10_000, 2**29
# of more, a covariance takes too long, and the widest directions are searched for
MOST_FEATURES = 2_048


def assess_reliability(
    model: keras.Model, info: DatasetInfo, training: Subset, validation: Subset, seed: int
) -> Reliability:
    """Learn from validation pictures how far to trust a model.

    Args:
        model: trained.
        info: of its dataset.
        training: what it has learned from: at most 10,000 of them, chosen at random, say what pictures it knows.
        validation: what it was chosen by.
        seed: of that choice.
    """
    both = add_embedding(model)
    most = min(TRAINING_PICTURES, max(PICTURES_PER_COMPONENT, TRAINING_BYTES // (8 * both.output_shape[0][-1])))
    if len(training) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(len(training), most, replace=False))
        training = Subset(training.images, training.targets[chosen], training.indices[chosen])
    known, _ = both.predict(evaluation_batches(training, model), verbose=0)
    familiarity = fit_familiarity(known)
    pieces = [(familiarity.distances(piece.embedding), piece.outputs) for piece in predict_in_pieces(both, validation)]
    distances, outputs = (np.concatenate(part) for part in zip(*pieces, strict=True))
    temperature = TEMPERATURE[info.task](outputs, validation.targets)
    scores = SCORES[info.task](CALIBRATE[info.task](outputs, temperature), validation.targets)
    return Reliability(temperature, np.sort(scores).astype(np.float32), limit_familiarity(familiarity, distances))


def fit_temperature(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Find the temperature at which probabilities, (N, classes), suit their classes, (N,), best.

    The most probable of a log-normal around 1, so that few pictures change little.
    """

    def loss(log_temperature: float) -> float:
        calibrated = scale_logits(probabilities, np.exp(log_temperature))
        chances = np.maximum(calibrated[np.arange(len(targets)), targets], LEAST_PROBABILITY)
        prior = (log_temperature / TEMPERATURE_DEVIATION) ** 2 / 2
        return float(prior - np.log(chances.astype(np.float64)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded").x))


def fit_familiarity(known: np.ndarray) -> Familiarity:
    """Find where pictures lie that a model was trained on, from their embeddings, (n, d).

    The limit is the distance that 99 % of them have; a network has made them more alike than new ones are.
    """
    count = max(1, min(MOST_COMPONENTS, len(known) // PICTURES_PER_COMPONENT, *known.shape))
    solver = "covariance_eigh" if known.shape[1] <= MOST_FEATURES else "randomized"
    pca = PCA(count, svd_solver=solver, random_state=0).fit(known.astype(np.float64))
    floor = max(pca.explained_variance_[0] * LEAST_VARIANCE, np.finfo(np.float32).tiny)
    familiarity = Familiarity(
        mean=pca.mean_.astype(np.float32),
        components=pca.components_.astype(np.float32),
        variances=np.maximum(pca.explained_variance_, floor).astype(np.float32),
        noise=max(float(pca.noise_variance_), floor),
        limit=np.inf,
    )
    return replace(familiarity, limit=float(np.quantile(familiarity.distances(known), FAMILIAR_QUANTILE)))


def limit_familiarity(familiarity: Familiarity, distances: np.ndarray) -> Familiarity:
    """Let new pictures of the same kind be familiar: validation pictures, of which only 1 % may be farther.

    Args:
        familiarity: as `fit_familiarity` returns it.
        distances: (m,), of validation pictures.
    """
    # as of split conformal prediction; of few pictures, the farthest
    rank = min(math.ceil((len(distances) + 1) * FAMILIAR_QUANTILE - 1e-9), len(distances))
    return replace(familiarity, limit=max(familiarity.limit, float(np.sort(distances)[rank - 1])))


TEMPERATURE: Mapping[Task, Callable[[np.ndarray, np.ndarray], float]] = {
    CLASSIFICATION: fit_temperature,
    REGRESSION: lambda outputs, targets: 1.0,
}
