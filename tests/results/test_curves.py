"""The scale of training curves: they fill it, and noise does not."""

import numpy as np
import pytest

from image_recipes.results.curves import Scale, choose_scale


def span(scale: Scale) -> float:
    return scale.high - scale.low


def test_lines_fill_the_scale_and_all_of_them_show() -> None:
    curve = np.linspace(0.6, 0.9, 50)

    scale = choose_scale("accuracy", [curve, curve + 0.02])

    assert scale.low < 0.6
    assert scale.high > 0.92
    assert span(scale) < 1.2 * 0.32


def test_the_start_squeezes_nothing() -> None:
    losses = np.array([4_200.0, 900, *np.linspace(60, 50, 48)])

    scale = choose_scale("loss", [losses])

    assert scale.high < 100
    assert scale.low < 50


def test_a_single_peak_squeezes_nothing() -> None:
    losses = np.linspace(60, 50, 500)
    losses[300] = 1e6

    assert choose_scale("loss", [losses]).high < 100


def test_each_curve_shows_even_beside_one_that_is_far_worse() -> None:
    good, bad = np.linspace(60, 50, 100), np.full(100, 5_000.0)

    linear = choose_scale("loss", [good, bad])
    assert linear.low < 50 < 5_000 < linear.high
    assert not linear.logarithmic
    # where both are to be read
    assert choose_scale("loss", [good, bad], allow_logarithmic=True).logarithmic
    assert not choose_scale("loss", [good, good * 2], allow_logarithmic=True).logarithmic
    assert not choose_scale("loss", [good, bad - 5_000], allow_logarithmic=True).logarithmic


def test_noise_stays_small() -> None:
    rng = np.random.default_rng(0)
    # of 10,000 pictures, some more or fewer are right
    accuracies = 0.98 + rng.normal(0, 0.0005, 40).round(4)
    assert 4 * np.ptp(accuracies) < span(choose_scale("accuracy", [accuracies]))
    losses = 3.0 + rng.normal(0, 0.002, 40)
    assert span(choose_scale("loss", [losses])) > 0.25


def test_one_picture_of_few_looks_small() -> None:
    # of 20 validation pictures, one is sometimes wrong
    accuracies = np.array([0.95, 1.0, 0.95, 0.95, 1.0, 1.0])

    scale = choose_scale("accuracy", [accuracies])

    assert span(scale) > 4 * 0.05
    assert scale.low > 0.5
    assert 1 < scale.high < 1.05


@pytest.mark.parametrize("values", [[], [np.nan, np.inf], [0.0], [1.0] * 5, [0.5], [-3.0, -3.0]])
def test_any_values_have_a_scale(values: list[float]) -> None:
    for column in ["accuracy", "loss"]:
        scale = choose_scale(column, [np.array(values)], allow_logarithmic=True)
        assert np.isfinite([scale.low, scale.high]).all()
        # matplotlib widens by itself what has no width
        assert scale.low < scale.high or values == [0.0]
