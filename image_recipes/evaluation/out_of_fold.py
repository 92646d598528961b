"""What a network's features say of each picture's label where that label was not learned from: predictions by folds."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.linalg import pinvh
from scipy.special import softmax
from sklearn.covariance import ledoit_wolf
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

from image_recipes.core.dataset import DatasetInfo

FOLDS = 5
# principal components that the features are reduced to, and the pictures that these are found by
COMPONENTS = 128
MOST_ANALYSED = 10_000
REDUCED_AT_ONCE = 4_096
# penalties of ridge regression to choose from, by those that it learns from alone
RIDGE_ALPHA = (0.1, 1.0, 10.0, 100.0, 1_000.0)


# more threads of BLAS wait for each other most of the time
@threadpool_limits.wrap(limits=1, user_api="blas")
def predict_classes_by_folds(
    features: np.ndarray, given: np.ndarray, groups: np.ndarray, info: DatasetInfo
) -> np.ndarray:
    """Predict each picture's class by linear discriminant analysis of the features of the other folds' pictures.

    Args:
        features: float32, (N, d), of a network.
        given: (N,), the numbers of the classes that the pictures are labelled with.
        groups: (N,), pictures of one stay in one fold.
        info: the dataset's.

    Returns:
        Probabilities, float32 (N, classes). NaN where they would mean nothing: no other group has the picture's
        class, or the network has diverged.
    """
    found = np.full((len(features), len(info.class_names)), np.nan, np.float32)
    if (components := _reduce(features)) is None:
        return found
    for held_out, rest in _divide(given, groups):
        # a label that nothing was learned of cannot be confirmed
        judged = held_out[np.isin(given[held_out], given[rest])]
        found[judged] = _discriminate(components[rest], given[rest], components[judged], found.shape[1])
    return found


@threadpool_limits.wrap(limits=1, user_api="blas")
def predict_numbers_by_folds(
    features: np.ndarray, given: np.ndarray, groups: np.ndarray, info: DatasetInfo
) -> np.ndarray:
    """Predict each picture's number by ridge regression on the features of the other folds' pictures.

    Args:
        features: float32, (N, d), of a network.
        given: (N,), the numbers that the pictures are labelled with.
        groups: (N,), pictures of one stay in one fold.
        info: the dataset's.

    Returns:
        float32 (N, 1). NaN where it would mean nothing: all are one group, or the network has diverged.
    """
    found = np.full((len(features), 1), np.nan, np.float32)
    if (components := _reduce(features)) is None:
        return found
    targets = given.astype(np.float64)
    for held_out, rest in _divide(np.zeros(len(given)), groups):
        model = RidgeCV(RIDGE_ALPHA).fit(components[rest], targets[rest])
        found[held_out, 0] = model.predict(components[held_out])
    return found


def _reduce(features: np.ndarray) -> np.ndarray | None:
    """Return principal components of standardized features, float64 (N, k); None where some are no numbers."""
    if len(features) < 2 or not np.isfinite(features).all():
        return None
    analysed = features[:: -(-len(features) // MOST_ANALYSED)].astype(np.float64)
    mean, deviation = analysed.mean(axis=0), analysed.std(axis=0)
    differing = np.flatnonzero(deviation)
    if not len(differing):
        # units that are all dead
        return np.zeros((len(features), 1))

    def scale(values: np.ndarray) -> np.ndarray:
        return (values[:, differing] - mean[differing]) / deviation[differing]

    analysis = PCA(min(COMPONENTS, len(analysed), len(differing)), svd_solver="covariance_eigh").fit(scale(analysed))
    # wide features of all pictures are in memory once, as they are
    parts = (features[start : start + REDUCED_AT_ONCE] for start in range(0, len(features), REDUCED_AT_ONCE))
    return np.concatenate([analysis.transform(scale(part)) for part in parts])


def _divide(strata: np.ndarray, groups: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the positions held out and the others, for each fold; a class's groups are dealt out evenly."""
    # by their first pictures, in an order of chance
    heads = pd.DataFrame({"group": groups, "stratum": strata}).drop_duplicates("group").sample(frac=1, random_state=0)
    heads = heads.sort_values("stratum", kind="stable")
    dealt = pd.Series(np.arange(len(heads)) % FOLDS, index=heads["group"])
    folds = dealt[groups].to_numpy()
    for number in range(FOLDS):
        held_out, rest = np.flatnonzero(folds == number), np.flatnonzero(folds != number)
        if len(held_out) and len(rest):
            yield held_out, rest


def _discriminate(learned: np.ndarray, given: np.ndarray, asked: np.ndarray, classes: int) -> np.ndarray:
    """Return probabilities (n, classes) by classes of one covariance, shrunk as by Ledoit and Wolf (2004)."""
    counts = np.bincount(given, minlength=classes)
    known = np.flatnonzero(counts)
    means = np.zeros((classes, learned.shape[1]))
    np.add.at(means, given, learned)
    means[known] /= counts[known, np.newaxis]
    covariance, _ = ledoit_wolf(learned - means[given], assume_centered=True)
    # of features that are the same in all pictures, too
    weights = pinvh(covariance) @ means[known].T
    offsets = np.log(counts[known] / len(given)) - (means[known].T * weights).sum(axis=0) / 2
    probabilities = np.zeros((len(asked), classes))
    probabilities[:, known] = softmax(asked @ weights + offsets, axis=1)
    return probabilities
