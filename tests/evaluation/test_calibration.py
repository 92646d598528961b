"""Whether a classifier is as often right as it says."""

import numpy as np
import pytest

from image_recipes.evaluation.calibration import calibrate, calibration_error
from predictions import of_classes


def test_confidence_is_set_beside_accuracy() -> None:
    table = of_classes([0, 1, 0, 0], [[0.97, 0.03], [0.98, 0.02], [0.55, 0.45], [1.0, 0.0]], ["a", "b"])

    bins = calibrate(table)

    assert bins["pictures"].tolist() == [1, 3]
    assert bins["accuracy"].tolist() == pytest.approx([1.0, 2 / 3])
    assert bins["confidence"].tolist() == pytest.approx([0.55, (0.97 + 0.98 + 1.0) / 3])


def test_the_calibration_error_weighs_ranges_by_their_pictures() -> None:
    table = of_classes([0, 1, 0, 0], [[0.97, 0.03], [0.98, 0.02], [0.55, 0.45], [1.0, 0.0]], ["a", "b"])

    distances = [1 - 0.55, (0.97 + 0.98 + 1.0) / 3 - 2 / 3]

    assert calibration_error(table) == pytest.approx((distances[0] + 3 * distances[1]) / 4)


def test_a_confidence_that_is_no_number_leaves_the_error_undefined() -> None:
    table = of_classes([0, 1], [[0.9, 0.1], [np.nan, np.nan]], ["a", "b"])

    assert calibrate(table)["pictures"].sum() == 1
    assert np.isnan(calibration_error(table))
