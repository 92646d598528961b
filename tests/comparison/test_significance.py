"""Whether a difference is more than luck: tests by their published examples."""

import numpy as np
import pytest

from image_recipes.comparison.significance import correct_by_holm, mcnemar_test, paired_bootstrap_test


def test_mcnemar_s_exact_test() -> None:
    # of 11 pictures that just one gets right, 1 and 10: 2 * (1 + 11) / 2^11
    assert mcnemar_test(1, 10) == pytest.approx(24 / 2048)
    assert mcnemar_test(10, 1) == pytest.approx(24 / 2048)
    assert mcnemar_test(0, 0) == 1.0


def test_a_paired_bootstrap_tells_a_difference_from_none() -> None:
    noise = np.random.default_rng(0).normal(size=400)
    differences = np.stack([noise + 0.5, noise - noise.mean(), 0 * noise], axis=1)

    p, low, high = paired_bootstrap_test(differences, 2_000, 0)

    assert p[0] == pytest.approx(2 / 2001)
    assert 0 < low[0] < differences[:, 0].mean() < high[0]
    # the interval of a mean of normal numbers
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * noise.std() / 20, rel=0.1)
    assert p[1] > 0.5
    assert p[2] == 1.0


def test_holm_s_correction() -> None:
    # Holm (1979): the smallest times m, the next times m - 1, and so on, never falling
    assert correct_by_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert correct_by_holm([0.9, 0.8]) == [1.0, 1.0]
