"""What a recipe has to beat: the most frequent class or the mean, and a linear model on pixels."""

import math
import warnings
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from image_recipes.core.dataset import DatasetInfo, Subset
from image_recipes.evaluation.references import References

# bounds of the linear models' memory: larger pictures are averaged over squares of pixels
# first, and of more pictures some are drawn
MAX_SIDE = 32
MAX_PICTURES = 50_000
PICTURES_READ_AT_ONCE = 1_000
# bound of their work, in pictures times principal components: fewer pictures keep more of them
MAX_VALUES = MAX_PICTURES * 256
# penalties, as scikit-learn names them, to choose from by the validation pictures; in the order
# in which each solution is a start for the next
LOGISTIC_C = (0.01, 0.1, 1.0)
RIDGE_ALPHA = (0.1, 1.0, 10.0, 100.0, 1_000.0)
LOGISTIC_ITERATIONS = 100


class _Rows(NamedTuple):
    """What a linear model learns from, and by what its penalty is chosen: features (n, k) and targets (n,)."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    rotation: PCA
    reduced: dict[str, float]


# more threads of BLAS wait for each other most of the time: seven times the CPU seconds of one
@threadpool_limits.wrap(limits=1, user_api="blas")
def predict_class_baselines(info: DatasetInfo, splits: Mapping[str, Subset], seed: int) -> References:
    """Predict the test pictures' classes by the most frequent one, and by logistic regression.

    Args:
        info: the dataset's.
        splits: `train`, `validation`, by which the linear model's penalty is chosen, and `test`.
        seed: of the choice of pictures, where there are too many, and of their principal components.

    Returns:
        By name, probabilities of (N, classes): `majority` (the training pictures' shares of the
        classes) and `linear`. With the latter, where it has not learned from everything:
        `fitted_pictures` of `all_pictures`, `fitted_features` of `all_features`, those of a picture.
    """
    classes = len(info.class_names)
    targets = splits["train"].targets
    shares = np.bincount(targets, minlength=classes) / len(targets)
    majority = np.tile(shares, (len(splits["test"]), 1))
    if np.count_nonzero(shares) == 1:
        return {"majority": (majority, {}), "linear": (majority, {})}
    rows = _read_rows(splits, seed)
    model = LogisticRegression(max_iter=LOGISTIC_ITERATIONS, warm_start=True)
    models = []
    with warnings.catch_warnings():
        # a baseline need not be at its optimum to the last digit
        warnings.simplefilter("ignore", ConvergenceWarning)
        for c in LOGISTIC_C:
            models.append(deepcopy(model.set_params(C=c).fit(*rows.train)))
    best = max(models, key=lambda model: model.score(*rows.validation))

    def predict(features: np.ndarray) -> np.ndarray:
        # a class without training pictures has no column
        chances = np.zeros((len(features), classes))
        chances[:, best.classes_] = best.predict_proba(features)
        return chances

    return {"majority": (majority, {}), "linear": (_predict_all(predict, rows.rotation, splits["test"]), rows.reduced)}


@threadpool_limits.wrap(limits=1, user_api="blas")
def predict_number_baselines(info: DatasetInfo, splits: Mapping[str, Subset], seed: int) -> References:
    """Predict the test pictures' numbers by the training pictures' mean, and by ridge regression.

    The arguments are those of `predict_class_baselines`.

    Returns:
        By name, `mean` and `linear`, float (N, 1); with the latter, what it has learned from, as there.
    """
    mean = np.full((len(splits["test"]), 1), splits["train"].targets.mean(dtype=float))
    rows = _read_rows(splits, seed)
    features, targets = rows.validation
    models = [Ridge(alpha).fit(*rows.train) for alpha in RIDGE_ALPHA]
    best = min(models, key=lambda model: float(((model.predict(features) - targets) ** 2).mean()))

    def predict(features: np.ndarray) -> np.ndarray:
        return best.predict(features)[:, np.newaxis]

    return {"mean": (mean, {}), "linear": (_predict_all(predict, rows.rotation, splits["test"]), rows.reduced)}


def _predict_all(predict: Callable[[np.ndarray], np.ndarray], rotation: PCA, pictures: Subset) -> np.ndarray:
    starts = range(0, len(pictures), MAX_PICTURES)
    pieces = [np.arange(start, min(start + MAX_PICTURES, len(pictures))) for start in starts]
    return np.concatenate([predict(rotation.transform(_read_pixels(pictures, piece))) for piece in pieces])


def _read_rows(splits: Mapping[str, Subset], seed: int) -> _Rows:
    """Read pictures as their principal components, as many as the bound of the work allows.

    These are the pixels about their mean, rotated: all of them give the same model for the same penalty.
    """
    rng = np.random.default_rng(seed)
    pixels, targets = {}, {}
    for name in ("train", "validation"):
        pictures = splits[name]
        chosen = np.arange(len(pictures))
        if len(chosen) > MAX_PICTURES:
            chosen = np.sort(rng.choice(chosen, MAX_PICTURES, replace=False))
        pixels[name], targets[name] = _read_pixels(pictures, chosen), pictures.targets[chosen]
    count, features = pixels["train"].shape
    components = min(count, features, MAX_VALUES // count)
    # the pixels are no longer needed; "auto" is exact if few components are left out
    rotation = PCA(components, copy=False, svd_solver="auto", random_state=seed)
    train = rotation.fit_transform(pixels["train"])
    kept = features if components == min(count, features) else components
    return _Rows(
        train=(train, targets["train"]),
        validation=(rotation.transform(pixels["validation"]), targets["validation"]),
        rotation=rotation,
        reduced=_tell_reduced("pictures", count, len(splits["train"]))
        | _tell_reduced("features", kept, math.prod(splits["train"].picture_shape)),
    )


def _tell_reduced(what: str, fitted: int, everything: int) -> dict[str, float]:
    return {f"fitted_{what}": fitted, f"all_{what}": everything} if fitted < everything else {}


def _read_pixels(pictures: Subset, chosen: np.ndarray) -> np.ndarray:
    """Return float32 (n, features) of values 0-1: pixels, or means of squares of them."""
    height, width, channels = pictures.picture_shape
    square = -(-max(height, width) // MAX_SIDE)
    rows, columns = -(-height // square), -(-width // square)
    pixels = np.empty((len(chosen), rows * columns * channels), np.float32)
    for start in range(0, len(chosen), PICTURES_READ_AT_ONCE):
        images = pictures.read(chosen[start : start + PICTURES_READ_AT_ONCE])
        # squares at the edge are filled up by its last pixels
        missing = (rows * square - height, columns * square - width)
        images = np.pad(images, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
        squares = images.reshape(len(images), rows, square, columns, square, channels)
        means = squares.mean(axis=(2, 4), dtype=np.float32)
        pixels[start : start + PICTURES_READ_AT_ONCE] = means.reshape(len(images), -1)
    return pixels / 255
