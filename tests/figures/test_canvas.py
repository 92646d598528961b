"""What all drawing shares: the letters of any name, texts as they are, and the same file every time."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.image import imread

from image_recipes.figures.canvas import name_classes, save_figure, set_log_axis
from projects import Project


def draw(title: str, file: Path) -> bytes:
    figure = Figure(figsize=(3, 1))
    figure.subplots().set_title(title)
    save_figure(figure, file)
    return file.read_bytes()


def test_a_figure_is_the_same_file_whenever_it_is_drawn(tmp_path: Path) -> None:
    assert draw("a", tmp_path / "new folder/1.png") == draw("a", tmp_path / "2.png") != draw("b", tmp_path / "3.png")
    assert b"Software" not in (tmp_path / "2.png").read_bytes()


def test_a_figure_that_cannot_be_drawn_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = draw("a", tmp_path / "f.png")

    def fail(*arguments: object, **options: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="no space left"):
        draw("b", tmp_path / "f.png")
    assert (tmp_path / "f.png").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["f.png"]


def test_a_name_with_dollars_is_no_formula(tmp_path: Path) -> None:
    # as a formula this would be an error
    draw("$\\frac{$ costs 5$", tmp_path / "f.png")


def test_no_font_is_asked_for_that_is_not_installed() -> None:
    assert set(mpl.rcParams["font.family"]) <= set(font_manager.get_font_names())


@pytest.mark.parametrize(
    ("classes", "named", "rotation"),
    [
        (["cat", "dog"], True, 0),
        ([f"a rather long name {number}" for number in range(5)], True, 90),
        ([str(number) for number in range(31)], False, None),
    ],
)
def test_classes_are_named_where_there_is_room(classes: list[str], named: bool, rotation: float | None) -> None:
    axes = Figure().subplots()

    assert name_classes(axes, classes) is named

    labels = axes.get_xticklabels()
    if named:
        assert [label.get_text() for label in labels] == classes
        assert {label.get_rotation() for label in labels} == {rotation}
    else:
        assert not {label.get_text() for label in labels} & set(classes[2:])


def test_a_run_draws_every_figure(finished: Project) -> None:
    files = [f"{kind}/{dataset}" for kind in ["samples", "overview", "compare"] for dataset in ["mnist", "dots"]]
    files += [
        f"{recipe}/{name}" for recipe in ["tiny_class", "tiny_number"] for name in ["curves", "gallery", "predictions"]
    ]
    for file in files:
        assert imread(finished.root / f"plots/{file}.png").std() > 0.05, file
    summary = (finished.root / "plots/tiny_class/summary.txt").read_text("utf-8")
    assert "conv2d (Conv2D)" in summary
    assert "Total params: " in summary
    assert "Optimizer params" not in summary


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([108_874, 200_000, np.nan], ["50k", "100k", "200k"]),
        ([3, 6_401], ["10", "100", "1k"]),
        ([0.0003, 0.1], ["0.001", "0.01", "0.1"]),
        ([5.0, 5.0], ["2", "5", "10"]),
    ],
)
def test_a_logarithmic_axis_has_round_numbers(values: list[float], expected: list[str]) -> None:
    axes = Figure(figsize=(3, 3)).subplots()
    axes.scatter(values, range(len(values)))

    set_log_axis(axes, np.array(values))

    low, high = axes.get_xlim()
    places = [place for place in axes.get_xticks() if low <= place <= high]
    assert [axes.xaxis.get_major_formatter()(place, None) for place in places] == expected
