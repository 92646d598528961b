"""What a learning curve says: a gain counts where luck does not explain it."""

import numpy as np
import pandas as pd
import pytest

from image_recipes.comparison.learning_curve import choose_range, judge_curve, summarize_curve
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task


def curve(task: Task, *repeats: list[float], gain_error: float) -> pd.DataFrame:
    """A curve whose trainings on 50, 100 and 200 pictures have reached these values."""
    rows = []
    for number, values in enumerate(repeats, 1):
        errors = [task.error(value) for value in values]
        for place, value in enumerate(values):
            gain = errors[place - 1] - errors[place] if place else np.nan
            rows.append((number, 50 * 2**place, 10 + number, value, gain, gain_error if place else np.nan))
    return pd.DataFrame(rows, columns=["repeat", "pictures", "epochs", task.metric, "gain", "gain_error"])


def tell(task: Task, *repeats: list[float], gain_error: float) -> str:
    return " ".join(map(str, judge_curve(task, curve(task, *repeats, gain_error=gain_error))))


def test_a_gain_beyond_luck_is_told_with_what_a_doubling_may_bring() -> None:
    told = tell(CLASSIFICATION, [0.6, 0.8, 0.9], [0.6, 0.8, 0.9], gain_error=0.01)

    assert "More pictures help: from 100 to 200 training pictures, the accuracy went from 0.8000 to 0.9000." in told
    assert "a gain of 0.1000, where luck makes ±0.0200" in told
    # half of the error again
    assert "would bring 0.0500 more: an extrapolation" in told
    assert "one training" not in told


def test_of_an_error_less_is_better() -> None:
    told = tell(REGRESSION, [90.0, 40.0, 20.0], [90.0, 40.0, 20.0], gain_error=1)

    assert "More pictures help: from 100 to 200 training pictures, the MSE went from 40.00 to 20.00." in told
    assert "would bring 10.00 more" in told


@pytest.mark.parametrize(
    ("repeats", "gain_error"),
    [
        # few validation pictures
        ([[0.6, 0.8, 0.83], [0.6, 0.8, 0.83]], 0.02),
        # trainings that differ
        ([[0.6, 0.8, 0.9], [0.6, 0.8, 0.76]], 0.001),
    ],
    ids=["luck of pictures", "luck of training"],
)
def test_a_gain_within_luck_is_none(repeats: list[list[float]], gain_error: float) -> None:
    told = tell(CLASSIFICATION, *repeats, gain_error=gain_error)

    assert told.startswith("Too little to tell whether more pictures help")
    assert "extrapolation" not in told


def test_without_an_error_left_the_validation_pictures_cannot_tell() -> None:
    for half in (1.0, 0.9):
        told = tell(CLASSIFICATION, [0.6, half, 1.0], [0.6, half, 1.0], gain_error=0.0)

        assert told.startswith("With all 200 training pictures there is no error left on the validation pictures")
        assert "extrapolation" not in told


def test_a_loss_is_told_and_so_is_a_single_training() -> None:
    told = tell(CLASSIFICATION, [0.6, 0.8, 0.7], gain_error=0.01)

    assert "More pictures did not help" in told
    assert "worse by 0.1000" in told
    assert "There was one training for each number of pictures" in told


def test_repeats_are_averaged() -> None:
    summary = summarize_curve(CLASSIFICATION, curve(CLASSIFICATION, [0.6, 0.8, 0.9], [0.7, 0.8, 1.0], gain_error=0))

    assert summary["pictures"].tolist() == [50, 100, 200]
    assert summary["trainings"].tolist() == [2, 2, 2]
    assert summary["epochs"].tolist() == [11.5] * 3
    np.testing.assert_allclose(summary["accuracy"], [0.65, 0.8, 0.95])
    np.testing.assert_allclose(summary["accuracy_std"], [0.0707, 0, 0.0707], atol=1e-4)


def test_an_axis_is_so_wide_that_luck_is_no_movement() -> None:
    low, high = choose_range(REGRESSION, curve(REGRESSION, [42.7, 42.8, 42.75], gain_error=0.6))
    assert high - low > 20 * 0.1

    # an accuracy has its ends
    low, high = choose_range(CLASSIFICATION, curve(CLASSIFICATION, [0.05, 0.95, 0.99], gain_error=0.2))
    assert (low, high) == (0.0, 1.0)
    low, high = choose_range(CLASSIFICATION, curve(CLASSIFICATION, [0.5, 0.5, 0.5], gain_error=0))
    assert low < 0.5 < high
