"""Labels that are probably wrong: those that what recipes predict out of fold speaks against."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from image_recipes.core.dataset import DatasetInfo

# of the robust z score, as of Iglewicz and Hoaglin (1993), "How to Detect and Handle Outliers"
MOST_DEVIATIONS = 3.5
# a normal distribution's standard deviation, in median absolute deviations
NORMAL_DEVIATIONS = 1.4826
# of the standard deviation, the least that the robust one counts
LEAST_SHARE = 0.25


def choose_judges(outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Choose the recipes whose predictions out of fold, (N, units), say anything: not those that have diverged."""
    return {recipe: values for recipe, values in outputs.items() if not np.isnan(values).all()}


def count_judged(judges: Mapping[str, np.ndarray]) -> int:
    """Count the pictures that all of these recipes say something of."""
    return int(np.isfinite([values.sum(axis=1) for values in judges.values()]).all(axis=0).sum()) if judges else 0


def find_class_suspects(given: np.ndarray, outputs: Sequence[np.ndarray], info: DatasetInfo) -> pd.DataFrame:
    """Find labels that are probably wrong by confident learning (Northcutt et al., 2021).

    A class's threshold is the mean probability of it over the pictures that have its label. A label is
    suspicious if, of the classes whose threshold a picture reaches, another is the most probable one.

    Args:
        given: (N,), the numbers of the classes that the pictures are labelled with.
        outputs: of each recipe, probabilities of (N, classes) out of fold; their mean is used. NaN where
            nothing can be said.
        info: the dataset's.

    Returns:
        The suspicious labels, those first that are most probably wrong: position (0 to N - 1), label and
        suggested (names of classes), doubt (0 to 1: how much more probable the suggested class is than the
        label, where 0.5 says equally), doubted_by (how many recipes find a class more probable than the label).
    """
    if not outputs:
        return _tabulate(*np.zeros((5, 0)))
    probabilities = np.mean(outputs, axis=0)
    positions = np.flatnonzero(~np.isnan(probabilities).any(axis=1))
    label, rows = given[positions], np.arange(len(positions))
    probabilities = probabilities[positions]
    of_label = probabilities[rows, label]
    counts = np.bincount(label, minlength=probabilities.shape[1])
    # a class without pictures has no threshold that could be reached
    thresholds = np.bincount(label, of_label, len(counts)) / np.where(counts, counts, np.nan)
    reached = np.where(probabilities >= thresholds, probabilities, -1)
    suggested = reached.argmax(axis=1)
    doubt = (1 + probabilities[rows, suggested] - of_label) / 2
    doubted_by = np.sum([values[positions].argmax(axis=1) != label for values in outputs], axis=0)
    suspicious = np.flatnonzero((suggested != label) & (reached[rows, suggested] >= 0))
    names = np.array(info.class_names)
    table = _tabulate(positions, names[label], names[suggested], doubt, doubted_by).iloc[suspicious]
    return table.sort_values("doubt", ascending=False, kind="stable", ignore_index=True)


def find_number_suspects(given: np.ndarray, outputs: Sequence[np.ndarray], info: DatasetInfo) -> pd.DataFrame:
    """Find labels that are probably wrong by residuals far out.

    Recipes are combined by their mean, weighted by 1 / (robust standard deviation of their residuals)².

    Args:
        given: (N,), the numbers that the pictures are labelled with.
        outputs: of each recipe, numbers of (N, 1) out of fold.
        info: the dataset's.

    Returns:
        The suspicious labels, the farthest out first: position (0 to N - 1), label, suggested (the number
        predicted), doubt (robust standard deviations between both, more than 3.5), doubted_by (how many
        recipes are as far from the label).
    """
    label = given.astype(float)
    # of labels that are all the same, residuals are rounding errors
    least = np.finfo(np.float32).eps * np.abs(label).max(initial=0)
    known = [values[:, 0].astype(float) for values in outputs]
    known = [values for values in known if _robust_deviation(values - label) > least]
    if not known:
        return _tabulate(*np.zeros((5, 0)))
    weights = [1 / _robust_deviation(values - label) ** 2 for values in known]
    suggested = np.average(known, axis=0, weights=weights)
    doubt = _count_deviations(suggested - label)
    doubted_by = np.sum([_count_deviations(values - label) > MOST_DEVIATIONS for values in known], axis=0)
    table = _tabulate(np.arange(len(label)), label, suggested, doubt, doubted_by)[doubt > MOST_DEVIATIONS]
    return table.sort_values("doubt", ascending=False, kind="stable", ignore_index=True)


def _robust_deviation(residuals: np.ndarray) -> float:
    robust = float(NORMAL_DEVIATIONS * np.median(np.abs(residuals - np.median(residuals))))
    # where most residuals are alike, as of counts that are mostly 0, the others are not wrong for that
    return max(robust, LEAST_SHARE * float(residuals.std()))


def _count_deviations(residuals: np.ndarray) -> np.ndarray:
    return np.abs(residuals - np.median(residuals)) / _robust_deviation(residuals)


def _tabulate(
    position: np.ndarray, label: np.ndarray, suggested: np.ndarray, doubt: np.ndarray, doubted_by: np.ndarray
) -> pd.DataFrame:
    columns = {"position": position, "label": label, "suggested": suggested, "doubt": doubt, "doubted_by": doubted_by}
    return pd.DataFrame(columns)
