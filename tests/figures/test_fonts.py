"""Letters that matplotlib's own font lacks: drawn by a font that is installed, or told in one hint."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.image import imread

from image_recipes.figures import fonts
from image_recipes.figures.canvas import save_figure

# of Linear A and Gothic, which no usual font has
BULL, AHSA, BAIRKAN = "\U00010617", "\U00010330", "\U00010331"
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install fonts that have some letters, as squares; the machine's own are not there."""
    manager = font_manager.fontManager
    monkeypatch.setattr(manager, "ttflist", [entry for entry in manager.ttflist if entry.name == fonts.OWN_FONT])
    monkeypatch.setattr(fonts, "_told", set())
    files: list[str] = []
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: files)

    def make(name: str, letters: str, outlines: bool = True) -> None:
        pen = TTGlyphPen(None)
        if outlines:
            pen.moveTo((0, 0))
            for corner in [(0, 800), (800, 800), (800, 0)]:
                pen.lineTo(corner)
            pen.closePath()
        builder = FontBuilder(1000, isTTF=True)
        names = [".notdef", *(f"u{ord(letter):x}" for letter in letters)]
        builder.setupGlyphOrder(names)
        builder.setupCharacterMap({ord(letter): f"u{ord(letter):x}" for letter in letters})
        builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
        builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 0)))
        builder.setupHorizontalHeader(ascent=800, descent=-200)
        builder.setupNameTable({"familyName": name, "styleName": "Regular"})
        builder.setupOS2()
        builder.setupPost()
        builder.save(tmp_path / f"{name}.ttf")
        files.append(str(tmp_path / f"{name}.ttf"))
        fonts._find_families.cache_clear()

    fonts._find_families.cache_clear()
    yield make
    fonts._find_families.cache_clear()
    fonts._letters.cache_clear()
    manager._findfont_cached.cache_clear()  # type: ignore[attr-defined]


def draw(text: str, file: Path) -> np.ndarray:
    figure = Figure(figsize=(2, 1))
    figure.text(0.1, 0.3, text, fontsize=40)
    save_figure(figure, file)
    return imread(file)[..., :3]


def test_a_font_that_was_installed_since_matplotlib_made_its_list_is_found(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    install("Runes", BULL + AHSA)

    filled = draw(BULL + AHSA, tmp_path / "f.png")

    # two squares that are filled, where the own font draws frames
    assert (filled < 0.1).all(axis=-1).mean() > 0.15
    assert capsys.readouterr().err == ""
    assert [str(warning.message) for warning in recwarn] == []


def test_letters_without_a_font_are_told_once_with_a_package(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    for number, text in enumerate(["한국어 🙂", "한국어", "日本"]):
        draw(text, tmp_path / f"{number}.png")

    first, second = capsys.readouterr().err.splitlines()
    assert "Hangul (such as 국어한), emoji and symbols (such as 🙂)" in first
    assert first.endswith("install one, on Debian and Ubuntu by `apt install fonts-noto-cjk fonts-symbola`")
    assert "Han (such as 日本)" in second
    assert [str(warning.message) for warning in recwarn] == []


def test_a_font_of_colours_that_cannot_be_drawn_is_passed_over(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install("A colourful one", AHSA, outlines=False)
    install("Runes", AHSA)

    assert (draw(AHSA, tmp_path / "f.png") < 0.1).all(axis=-1).mean() > 0.1
    assert capsys.readouterr().err == ""


def test_what_the_own_font_has_is_drawn_as_it_always_was(install: Install, tmp_path: Path) -> None:
    before = draw("abc ± é", tmp_path / "before.png")
    install("Letters", "abc±é")

    assert np.array_equal(draw("abc ± é", tmp_path / "after.png"), before)
