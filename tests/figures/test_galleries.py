"""Galleries, drawn to real files and read back: the right pictures under the right titles."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from image_recipes.core.dataset import load_info
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION
from image_recipes.figures.by_task import FIGURES
from image_recipes.figures.galleries import (
    Title,
    add_file_names,
    choose_some,
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


def draw(images: Sequence[np.ndarray], titles: Sequence[Title], file: Path) -> None:
    # the heading changes the cells' height, which these tests cut out
    draw_gallery(images, titles, "", file)


def test_a_gallery_leaves_cells_blank_where_pictures_are_few(tmp_path: Path) -> None:
    # the first and the last cell are drawn, so the picture's edges are those of the grid
    draw([np.full((8, 8, 1), 9, np.uint8)] * 21, [("real: 3",)] * 21, tmp_path / "gallery.png")

    assert blank_cells(tmp_path / "gallery.png") == [False] * 21 + [True] * 4


def test_a_gallery_of_25_goes_row_by_row(tmp_path: Path) -> None:
    greys = [np.full((8, 8, 3), 10 * number, np.uint8) for number in range(25)]
    draw(greys, [(str(number),) for number in range(25)], tmp_path / "gallery.png")

    # what most pixels of a cell show, beside the white of its border and the black of its title
    shown = [
        np.bincount((cell[..., 0] * 255).round().astype(int).ravel(), minlength=256)[:250].argmax()
        for cell in cells(tmp_path / "gallery.png")
    ]
    assert shown == [10 * number for number in range(25)]


def test_few_pictures_make_few_rows(tmp_path: Path) -> None:
    for count in [0, 3, 25]:
        pictures = [np.zeros((8, 8, 1), np.uint8)] * count
        draw_gallery(pictures, [("real: 3",)] * count, "so many", tmp_path / f"{count}.png")

    none, few, many = (imread(tmp_path / f"{count}.png").shape for count in [0, 3, 25])
    assert 3 * few[0] < many[0]
    assert few[1] == pytest.approx(many[1], abs=3)
    assert min(none[:2]) > 0


def test_grey_pictures_are_drawn_grey(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    draw([ramp, ramp[:1, :1]], [("real: 1",)] * 2, tmp_path / "gallery.png")

    pixels = imread(tmp_path / "gallery.png")[..., :3]
    assert np.ptp(pixels, axis=-1).max() < 0.01
    assert len(np.unique(pixels[..., 0].round(2))) > 50


def test_colour_pictures_are_drawn_in_colour(tmp_path: Path) -> None:
    draw([np.full((8, 8, 3), [255, 0, 0], np.uint8)], [("real: red",)], tmp_path / "gallery.png")

    pixels = imread(tmp_path / "gallery.png")[..., :3].reshape(-1, 3)
    assert (pixels == [1, 0, 0]).all(axis=1).mean() > 0.01


def test_titles_say_what_is_real_and_what_is_predicted() -> None:
    assert title_class_samples(np.array([2, 0]), class_info((28, 28, 1), CLASSES)) == [("real: 2",), ("real: 0",)]
    samples = title_number_samples(np.array([12, 255], np.float32), number_info((16, 16, 1)))
    assert samples == [("real: 12",), ("real: 255",)]
    wrong = of_classes([2, 1], [[0.2, 0.7, 0.1], [0.9999, 0, 0.0001]], CLASSES)
    assert title_class_predictions(wrong) == [
        ("real: 2", "predicted: 1 (70\u00a0%)"),
        ("real: 1", "predicted: 0 (>99\u00a0%)"),
    ]
    assert title_number_predictions(of_numbers([12], [13.44])) == [("real: 12", "predicted: 13.4")]


def test_a_picture_that_is_a_file_is_called_by_its_name() -> None:
    long = "가을에 찍은 떡갈나무 잎의 아주 긴 파일 이름 012.JPG"
    pictures = pd.DataFrame({"index": [7, 8, 9], "path": ["oak/IMG_0012.JPG", "#8", f"oak/{long}"]})

    file, no_file, shortened = add_file_names([("real: oak",)] * 3, pictures)

    assert file == ("real: oak", "IMG_0012.JPG")
    assert no_file == ("real: oak",)
    assert shortened[1].startswith("가을에")
    assert shortened[1].endswith("012.JPG")
    assert len(shortened[1]) < 24
    # as earlier versions wrote it
    assert add_file_names([("real: oak",)], pd.DataFrame({"index": [7]})) == [("real: oak",)]


def test_a_class_is_shown_in_one_line_as_it_is_written() -> None:
    names = ["two\nlines", "$x$ "]

    assert title_class_samples(np.array([0, 1]), class_info((8, 8, 1), names)) == [
        ("real: two\\nlines",),
        ("real: $x$␣",),
    ]


def test_the_gallery_of_classes_shows_wrong_ones() -> None:
    few = choose_wrong(of_classes([0, 2, 2, 1, 1], np.eye(3)[[0, 1, 2, 1, 0]], CLASSES))
    # sorted by their class, as a person's own pictures are
    many = choose_wrong(of_classes(np.repeat([0, 2], 20).tolist(), [[0, 1, 0]] * 40, CLASSES))

    assert few.predictions["index"].tolist() == [1, 4]
    assert few.heading == "2 of 5 test pictures predicted wrongly"
    assert len(many.predictions) == 25
    assert set(many.predictions["real"]) == {"0", "2"}
    assert many.heading == "40 of 40 test pictures predicted wrongly: 25 of them, evenly chosen"


def test_the_gallery_of_a_perfect_model_shows_the_least_sure() -> None:
    sure = [0.9, 0.55, 0.99, *[1.0] * 30]
    shown = choose_wrong(of_classes([0] * 33, [[share, 1 - share, 0] for share in sure], CLASSES))

    assert shown.predictions["index"].tolist()[:3] == [1, 0, 2]
    assert len(shown.predictions) == 25
    assert shown.heading == "all 33 test pictures predicted rightly: the 25 least sure"


def test_the_gallery_of_numbers_shows_some_of_all() -> None:
    shown = choose_some(of_numbers(range(49), range(49)))

    assert shown.predictions["index"].tolist() == list(range(0, 49, 2))
    assert shown.heading == "49 test pictures: 25 of them, evenly chosen"
    assert choose_some(of_numbers(range(3), range(3))).heading == "3 test pictures"


def test_each_task_has_its_gallery() -> None:
    assert FIGURES[CLASSIFICATION].choose_shown is choose_wrong
    assert FIGURES[REGRESSION].choose_shown is choose_some


def test_a_recipe_s_gallery_shows_the_pictures_of_its_titles(
    playground: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(playground.root)
    drawn: list[tuple[np.ndarray, list[Title], str]] = []
    for stage in [plot, split]:
        monkeypatch.setattr(
            stage, "draw_gallery", lambda images, titles, heading, file: drawn.append((images, titles, heading))
        )

    plot.main("tiny_class")
    split.main("mnist")

    info = load_info(Path("data/prepared/mnist"))
    predictions = load_predictions(Path("data/predictions/mnist/tiny_class.csv"), info)
    wrong = choose_wrong(predictions).predictions
    with np.load("data/raw/mnist.npz") as published:
        (errors, error_titles, heading), (samples, sample_titles, sample_heading) = drawn
        np.testing.assert_array_equal(errors[..., 0], published["x_test"][wrong["index"] - 60_000])
        assert [real.split()[1] for real, _ in error_titles] == [
            str(label) for label in published["y_test"][wrong["index"] - 60_000]
        ]
        assert f"of {len(predictions)} test pictures" in heading
        np.testing.assert_array_equal(samples[..., 0], published["x_test"][:25])
        assert sample_titles == [(f"real: {label}",) for label in published["y_test"][:25]]
        assert sample_heading.startswith("the first 25 of ")
