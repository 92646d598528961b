"""What a recipe has to beat: the most frequent class or the mean, and a linear model on pixels."""

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from image_recipes.core.dataset import DatasetInfo, Subset

# bounds of the linear models' memory: larger pictures are averaged over squares of pixels
# first, and of more pictures some are drawn
MAX_SIDE = 32
MAX_PICTURES = 50_000
PICTURES_READ_AT_ONCE = 1_000
# penalties, as scikit-learn names them, to choose from by the validation pictures
LOGISTIC_C = (0.01, 0.1, 1.0)
RIDGE_ALPHA = (0.1, 1.0, 10.0, 100.0, 1_000.0)
LOGISTIC_ITERATIONS = 100


def predict_class_baselines(info: DatasetInfo, splits: Mapping[str, Subset], seed: int) -> dict[str, np.ndarray]:
    """Predict the test pictures' classes by the most frequent one, and by logistic regression.

    Args:
        info: the dataset's.
        splits: `train`, `validation`, by which the linear model's penalty is chosen, and `test`.
        seed: of the choice of pictures, where there are too many.

    Returns:
        By name, probabilities of (N, classes): `majority` (the training pictures' shares of the
        classes) and `linear`.
    """
    classes = len(info.class_names)
    targets = splits["train"].targets
    shares = np.bincount(targets, minlength=classes) / len(targets)
    majority = np.tile(shares, (len(splits["test"]), 1))
    if np.count_nonzero(shares) == 1:
        return {"majority": majority, "linear": majority}
    pixels = _read_splits(splits, seed)

    def fit(c: float) -> tuple[float, Callable[[np.ndarray], np.ndarray]]:
        with warnings.catch_warnings():
            # a baseline need not be at its optimum to the last digit
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LogisticRegression(C=c, max_iter=LOGISTIC_ITERATIONS).fit(*pixels["train"])

        def predict(rows: np.ndarray) -> np.ndarray:
            # a class without training pictures has no column
            chances = np.zeros((len(rows), classes))
            chances[:, model.classes_] = model.predict_proba(rows)
            return chances

        return -model.score(*pixels["validation"]), predict

    return {"majority": majority, "linear": _predict_all(_fit_best(fit, LOGISTIC_C), splits["test"])}


def predict_number_baselines(info: DatasetInfo, splits: Mapping[str, Subset], seed: int) -> dict[str, np.ndarray]:
    """Predict the test pictures' numbers by the training pictures' mean, and by ridge regression.

    The arguments are those of `predict_class_baselines`.

    Returns:
        By name, `mean` and `linear`, float (N, 1).
    """
    pixels = _read_splits(splits, seed)
    mean = np.full((len(splits["test"]), 1), splits["train"].targets.mean(dtype=float))

    def fit(alpha: float) -> tuple[float, Callable[[np.ndarray], np.ndarray]]:
        model = Ridge(alpha).fit(*pixels["train"])
        rows, targets = pixels["validation"]
        return float(((model.predict(rows) - targets) ** 2).mean()), lambda rows: model.predict(rows)[:, np.newaxis]

    return {"mean": mean, "linear": _predict_all(_fit_best(fit, RIDGE_ALPHA), splits["test"])}


def _fit_best(
    fit: Callable[[float], tuple[float, Callable[[np.ndarray], np.ndarray]]], penalties: tuple[float, ...]
) -> Callable[[np.ndarray], np.ndarray]:
    return min((fit(penalty) for penalty in penalties), key=lambda fitted: fitted[0])[1]


def _predict_all(predict: Callable[[np.ndarray], np.ndarray], pictures: Subset) -> np.ndarray:
    starts = range(0, len(pictures), MAX_PICTURES)
    pieces = [np.arange(start, min(start + MAX_PICTURES, len(pictures))) for start in starts]
    return np.concatenate([predict(_read_pixels(pictures, piece)) for piece in pieces])


def _read_splits(splits: Mapping[str, Subset], seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    pixels = {}
    for name in ("train", "validation"):
        pictures = splits[name]
        chosen = np.arange(len(pictures))
        if len(chosen) > MAX_PICTURES:
            chosen = np.sort(rng.choice(chosen, MAX_PICTURES, replace=False))
        pixels[name] = (_read_pixels(pictures, chosen), pictures.targets[chosen])
    return pixels


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
