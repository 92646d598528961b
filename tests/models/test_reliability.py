"""How far to trust predictions: sets and intervals as MAPIE makes them, probabilities, unfamiliar pictures."""

from typing import Any

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from mapie.regression import SplitConformalRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.models.reliability import (
    SCORES,
    Familiarity,
    Reliability,
    pictures_needed,
    scale_logits,
)

ANYTHING = Familiarity(np.zeros(1, np.float32), np.eye(1, dtype=np.float32), np.ones(1, np.float32), 1.0, np.inf)


class Outputs:
    """What a network has said, as an estimator of MAPIE, which is asked for rows by number."""

    def __init__(self, outputs: np.ndarray) -> None:
        self.outputs = outputs
        self.classes_ = np.arange(outputs.shape[1])
        self.is_fitted_ = True

    def fit(self, rows: np.ndarray, targets: np.ndarray) -> "Outputs":
        return self

    def _rows(self, rows: np.ndarray) -> np.ndarray:
        return self.outputs[np.asarray(rows)[:, 0].astype(int)]


class Classes(Outputs, ClassifierMixin, BaseEstimator):
    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        return self._rows(rows)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self._rows(rows).argmax(axis=1)


class Numbers(Outputs, RegressorMixin, BaseEstimator):
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self._rows(rows)[:, 0]


def class_outputs(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of three classes, which hold, and classes."""
    logits = rng.normal(0, 2, (count, 3))
    outputs = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
    return outputs, (rng.random((count, 1)) > outputs.cumsum(axis=1)).sum(axis=1).clip(0, 2)


def learn(task: Task, outputs: np.ndarray, targets: np.ndarray) -> Reliability:
    return Reliability(1.0, np.sort(SCORES[task](outputs, targets)), ANYTHING)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_sets_are_those_of_mapie_and_hold(coverage: float) -> None:
    outputs, targets = class_outputs(4_000, np.random.default_rng(1))
    rows = np.arange(4_000)[:, np.newaxis]
    rival = SplitConformalClassifier(Classes(outputs), coverage, "lac", prefit=True)
    rival.conformalize(rows[:1_000], targets[:1_000])

    region = learn(CLASSIFICATION, outputs[:1_000], targets[:1_000]).judge(
        CLASSIFICATION, outputs, np.zeros((4_000, 1)), coverage
    )[1]

    assert region is not None
    # MAPIE computes in float64
    assert (region == rival.predict_set(rows)[1][:, :, 0]).mean() > 0.9995
    assert abs(region[np.arange(1_000, 4_000), targets[1_000:]].mean() - coverage) < 0.03


@pytest.mark.parametrize("coverage", [0.5, 0.9, 0.99])
def test_intervals_are_those_of_mapie_and_hold(coverage: float) -> None:
    rng = np.random.default_rng(2)
    outputs = rng.normal(20, 5, (4_000, 1))
    targets = outputs[:, 0] + rng.standard_t(4, 4_000)
    rows = np.arange(4_000)[:, np.newaxis]
    rival = SplitConformalRegressor(Numbers(outputs), coverage, "absolute", prefit=True)
    rival.conformalize(rows[:1_000], targets[:1_000])

    region = learn(REGRESSION, outputs[:1_000], targets[:1_000]).judge(
        REGRESSION, outputs, np.zeros((4_000, 1)), coverage
    )[1]

    assert region is not None
    np.testing.assert_allclose(region, rival.predict_interval(rows)[1][:, :, 0], rtol=1e-6)
    held = (region[:, 0] <= targets) & (targets <= region[:, 1])
    assert abs(held[1_000:].mean() - coverage) < 0.03


@pytest.mark.parametrize(("coverage", "needed"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_it_takes_some_pictures_for_a_coverage(coverage: float, needed: int) -> None:
    def learn_from(count: int) -> Reliability:
        return Reliability(1.0, np.arange(count, dtype=np.float32), ANYTHING)

    assert pictures_needed(coverage) == needed
    assert learn_from(needed).threshold(coverage) == needed - 1
    assert learn_from(needed - 1).threshold(coverage) is None
    assert learn_from(needed - 1).judge(REGRESSION, np.zeros((1, 1)), np.zeros((1, 1)), coverage).region is None


def test_a_temperature_changes_how_sure_but_not_what() -> None:
    outputs, _ = class_outputs(100, np.random.default_rng(3))

    cooler, hotter = scale_logits(outputs, 0.5), scale_logits(outputs, 2.0)

    np.testing.assert_allclose(scale_logits(outputs, 1.0), outputs, rtol=1e-5)
    np.testing.assert_allclose(cooler.sum(axis=1), 1, rtol=1e-5)
    assert (cooler.argmax(axis=1) == outputs.argmax(axis=1)).all()
    assert (cooler.max(axis=1) > outputs.max(axis=1)).all()
    assert (outputs.max(axis=1) > hotter.max(axis=1)).all()
    # softmax of the logits over the temperature
    np.testing.assert_allclose(hotter, np.sqrt(outputs) / np.sqrt(outputs).sum(axis=1, keepdims=True), rtol=1e-5)


def test_probabilities_of_nothing_and_of_all_stay_numbers() -> None:
    assert scale_logits(np.array([[1.0, 0.0]], np.float32), 1.5).tolist() == [[1.0, pytest.approx(0, abs=1e-20)]]


def test_distances_are_those_of_mahalanobis() -> None:
    rng = np.random.default_rng(4)
    axes, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    variances = np.array([9.0, 4.0, 0.25, 0.25, 0.25])
    familiarity = Familiarity(rng.normal(size=5), axes[:, :2].T, variances[:2], 0.25, 3.0)
    points = rng.normal(0, 3, (20, 5))

    differences = points - familiarity.mean
    expected = np.einsum("nd,de,ne->n", differences, np.linalg.inv(axes * variances @ axes.T), differences)

    np.testing.assert_allclose(familiarity.distances(points), np.sqrt(expected))
    reliability: Any = Reliability(1.0, np.zeros(9, np.float32), familiarity)
    far = reliability.judge(REGRESSION, np.zeros((20, 1)), points, 0.9).unfamiliar
    assert far.tolist() == (np.sqrt(expected) > 3).tolist()
