"""Titles of a gallery: never over each other or over pictures, whatever the classes are called."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from image_recipes.figures import galleries

LONG = ["Genus species number 017", "x" * 120, "W" * 30, "two words", "한국어" * 10, "1"]


def draw(titles: Sequence[tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """Draw a gallery, and return its axes."""
    figures: list[Figure] = []
    save = galleries.save_figure

    def keep(figure: Figure, file: Path) -> None:
        figures.append(figure)
        save(figure, file)

    monkeypatch.setattr(galleries, "save_figure", keep)
    galleries.draw_gallery([np.zeros((8, 8, 1), np.uint8)] * len(titles), titles, "25 of them", tmp_path / "g.png")
    return figures[0].axes


@pytest.mark.parametrize("count", [25, 3])
def test_long_titles_overlap_nothing(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles = [(f"real: {LONG[n % 6]}", f"predicted: {LONG[(n + n // 6) % 6]}") for n in range(count)]

    drawn = draw(titles, tmp_path, monkeypatch)

    boxes = [axes.title.get_window_extent() for axes in drawn[:count]]
    pictures = [axes.get_window_extent() for axes in drawn]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in [*boxes[:number], *pictures]), titles[number]
    sides = [(round(picture.width), round(picture.height)) for picture in pictures]
    assert set(sides) == {(134, 133)} or max(abs(width - height) for width, height in sides) <= 2


def test_a_long_title_keeps_both_of_its_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"a{'x' * 120}b"
    (first, second, *_) = draw(
        [(f"real: {name}", "predicted: 1"), ("real: Genus species number 017",)], tmp_path, monkeypatch
    )

    real, rest, predicted = first.title.get_text().splitlines()
    assert real.startswith("real: ax")
    assert rest.startswith("…x")
    assert rest.endswith("xb")
    assert predicted == "predicted: 1"
    assert " ".join(second.title.get_text().splitlines()) == "real: Genus species number 017"


def test_short_titles_stand_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw([("real: 3", "x: 5")] * 25, tmp_path, monkeypatch)

    assert {axes.title.get_text() for axes in drawn} == {"real: 3, x: 5"}
    assert {axes.title.get_fontsize() for axes in drawn} == {12}


def test_the_heading_stands_above_all_titles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw([(f"real: {name}", f"predicted: {name}") for name in LONG], tmp_path, monkeypatch)

    figure = drawn[0].figure
    assert isinstance(figure, Figure)
    (heading,) = figure.texts
    assert heading.get_text() == "25 of them"
    box = heading.get_window_extent()
    assert box.y0 > max(axes.title.get_window_extent().y1 for axes in drawn)
