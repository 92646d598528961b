"""What can be predicted by knowing how pictures are made."""

import numpy as np
import pytest

from image_recipes.core.dataset import Subset
from image_recipes.data.dots import throw
from image_recipes.evaluation.references import (
    best_mse,
    predict_best,
    predict_by_inversion,
    predict_references,
    predict_throws,
)


def test_what_is_known_of_dots() -> None:
    assert best_mse(256) == pytest.approx(47.69, abs=0.005)
    images, throws = throw(np.random.default_rng(3), 50_000, 16)
    lit = np.count_nonzero(images, axis=(1, 2, 3))

    # pictures as they are drawn give the best predictor the expected score
    assert ((predict_best(lit, 256) - throws) ** 2).mean() == pytest.approx(best_mse(256), rel=0.03)
    assert best_mse(256) < ((predict_by_inversion(lit, 256) - throws) ** 2).mean() < 60
    # two cells, 0 or 1 throw: the picture tells all; large pictures do not overflow
    assert best_mse(2) == 0
    assert np.isfinite(predict_best(np.arange(1600), 1600)).all()


def test_throws_are_predicted_from_the_lit_cells_of_pictures() -> None:
    images, throws = throw(np.random.default_rng(0), 20, 8)
    pictures = Subset(images, throws[5:], np.arange(5, 20))
    lit = np.count_nonzero(images[5:], axis=(1, 2, 3))

    references = predict_throws(pictures)

    inversion, known = references["lit_cells"]
    assert inversion[:, 0].tolist() == predict_by_inversion(lit, 64).tolist()
    assert known == {}
    best, known = references["best_possible"]
    assert best[:, 0].tolist() == predict_best(lit, 64).tolist()
    assert known == {"expected_mse": pytest.approx(best_mse(64), rel=1e-6)}


def test_only_dots_are_known_beforehand() -> None:
    images, throws = throw(np.random.default_rng(0), 3, 4)
    pictures = Subset(images, throws, np.arange(3))

    assert set(predict_references("dots", pictures)) == {"lit_cells", "best_possible"}
    for source in ["mnist", "folder", "table"]:
        assert predict_references(source, pictures) == {}
