"""Galleries, drawn to real files and read back: the right pictures under the right titles."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from image_recipes.core.dataset import load_info
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.figures.by_task import FIGURES
from image_recipes.figures.galleries import (
    choose_first,
    choose_wrong,
    draw_gallery,
    title_class_predictions,
    title_class_samples,
    title_number_predictions,
    title_number_samples,
)
from image_recipes.results.predictions import load_predictions
from predictions import of_classes, of_numbers
from projects import Project
from recipes import class_info, number_info
from stages import plot, split

CLASSES = ["0", "1", "2"]


def cells(file: Path) -> list[np.ndarray]:
    """Cut a gallery into its 5x5 cells, row by row."""
    picture = imread(file)[..., :3]
    return [cell for row in np.array_split(picture, 5, axis=0) for cell in np.array_split(row, 5, axis=1)]


def blank_cells(file: Path) -> list[bool]:
    """For each cell: is it all white?"""
    return [bool((cell > 0.99).all()) for cell in cells(file)]


def test_a_gallery_leaves_cells_blank_where_pictures_are_few(tmp_path: Path) -> None:
    # the first and the last cell are drawn, so the picture's edges are those of the grid
    draw_gallery([np.full((8, 8, 1), 9, np.uint8)] * 21, [("R: 3",)] * 21, tmp_path / "gallery.png")

    assert blank_cells(tmp_path / "gallery.png") == [False] * 21 + [True] * 4


def test_a_gallery_of_25_goes_row_by_row(tmp_path: Path) -> None:
    greys = [np.full((8, 8, 3), 10 * number, np.uint8) for number in range(25)]
    draw_gallery(greys, [(str(number),) for number in range(25)], tmp_path / "gallery.png")

    # what most pixels of a cell show, beside the white of its border and the black of its title
    shown = [
        np.bincount((cell[..., 0] * 255).round().astype(int).ravel(), minlength=256)[:250].argmax()
        for cell in cells(tmp_path / "gallery.png")
    ]
    assert shown == [10 * number for number in range(25)]


def test_a_gallery_of_no_pictures_is_a_file(tmp_path: Path) -> None:
    draw_gallery([], [], tmp_path / "gallery.png")

    assert (tmp_path / "gallery.png").stat().st_size > 0


def test_colour_pictures_are_drawn_in_colour(tmp_path: Path) -> None:
    draw_gallery([np.full((8, 8, 3), [255, 0, 0], np.uint8)], [("R: red",)], tmp_path / "gallery.png")

    pixels = imread(tmp_path / "gallery.png")[..., :3].reshape(-1, 3)
    assert (pixels == [1, 0, 0]).all(axis=1).mean() > 0.01


def test_titles_are_the_lectures() -> None:
    assert title_class_samples(np.array([2, 0]), class_info((28, 28, 1), CLASSES)) == [("R: 2",), ("R: 0",)]
    assert title_number_samples(np.array([12, 255], np.float32), number_info((16, 16, 1))) == [("R 12",), ("R 255",)]
    wrong = of_classes([2, 1], np.eye(3)[[1, 0]], CLASSES)
    assert title_class_predictions(wrong) == [("R: 2", "P: 1"), ("R: 1", "P: 0")]
    assert title_number_predictions(of_numbers([12], [13.44])) == [("R 12", "P 13.4")]


def test_a_class_is_shown_in_one_line_as_it_is_written() -> None:
    names = ["two\nlines", "$x$ "]

    assert title_class_samples(np.array([0, 1]), class_info((8, 8, 1), names)) == [("R: two\\nlines",), ("R: $x$␣",)]


def test_the_gallery_of_classes_shows_wrong_ones_in_test_order() -> None:
    shown = choose_wrong(of_classes([0, 2, 2, 1, 1], np.eye(3)[[0, 1, 2, 1, 0]], CLASSES))

    assert shown["index"].tolist() == [1, 4]
    assert len(choose_wrong(of_classes([0] * 40, [[0, 1, 0]] * 40, CLASSES))) == 25


def test_the_gallery_of_numbers_shows_the_first() -> None:
    assert choose_first(of_numbers(range(30), range(30)))["index"].tolist() == list(range(25))


def test_each_task_has_its_gallery() -> None:
    assert FIGURES[CLASSIFICATION].choose_shown is choose_wrong
    assert FIGURES[REGRESSION].choose_shown is choose_first


def test_a_recipe_s_gallery_shows_the_pictures_of_its_titles(
    playground: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(playground.root)
    drawn: list[tuple[np.ndarray, list[tuple[str, ...]]]] = []
    monkeypatch.setattr(plot, "draw_gallery", lambda images, titles, file: drawn.append((images, titles)))
    monkeypatch.setattr(split, "draw_gallery", lambda images, titles, file: drawn.append((images, titles)))

    plot.main("tiny_class")
    split.main("mnist")

    info = load_info(Path("data/prepared/mnist"))
    predictions = load_predictions(Path("data/predictions/mnist/tiny_class.csv"), info)
    wrong = predictions[predictions["real"] != predictions["predicted"]].head(25)
    with np.load("data/raw/mnist.npz") as published:
        (errors, error_titles), (samples, sample_titles) = drawn
        np.testing.assert_array_equal(errors[..., 0], published["x_test"][wrong["index"] - 60_000])
        assert [real.split()[1] for real, _ in error_titles] == [
            str(label) for label in published["y_test"][wrong["index"] - 60_000]
        ]
        np.testing.assert_array_equal(samples[..., 0], published["x_test"][:25])
        assert sample_titles == [(f"R: {label}",) for label in published["y_test"][:25]]
