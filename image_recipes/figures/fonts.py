"""Fonts for letters that matplotlib's own lacks: those that are installed, and what brings others."""

import sys
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import matplotlib as mpl
from matplotlib import font_manager, ft2font
from matplotlib.figure import Figure
from matplotlib.text import Text

OWN_FONT = "DejaVu Sans"
mpl.rcParams["font.family"] = [OWN_FONT]
# of several that have a letter: these first
PREFERRED_FONTS = (
    "Noto Sans CJK KR",
    "Noto Sans CJK JP",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "Noto Emoji",
    "Symbola",
    "Segoe UI Emoji",
)
# what Unicode's names begin with: how a hint calls the script, and Debian's package that has it
SCRIPTS = {
    "HANGUL": ("Hangul", "fonts-noto-cjk"),
    "CJK": ("Han", "fonts-noto-cjk"),
    "HIRAGANA": ("kana", "fonts-noto-cjk"),
    "KATAKANA": ("kana", "fonts-noto-cjk"),
    "IDEOGRAPHIC": ("Han", "fonts-noto-cjk"),
    "FULLWIDTH": ("wide letters", "fonts-noto-cjk"),
}
# matplotlib cannot draw the bitmaps of fonts-noto-color-emoji
SYMBOLS = ("emoji and symbols", "fonts-symbola")
OTHERS_PACKAGE = "fonts-noto-core"
# letters of a script that a hint shows
LETTERS_SHOWN = 3

_told: set[str] = set()


def choose_fonts(figure: Figure) -> None:
    """Have a figure's texts drawn by fonts that have their letters; those that its own font has stay as they are.

    Fonts are looked for on this machine. Letters that none has are told in one line, once in a run,
    with the package that brings a font.
    """
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    lacking = frozenset("".join(text.get_text() for text in texts)) - _letters(OWN_FONT)
    wanted = frozenset(filter(_is_drawn, lacking))
    if not wanted:
        return
    families, missing = _find_families(wanted)
    for text in texts:
        if wanted & frozenset(text.get_text()):
            text.set_fontfamily([OWN_FONT, *families])
    _tell_missing(missing)


@contextmanager
def without_warnings() -> Iterator[None]:
    """Have matplotlib measure and draw texts without a warning for each letter that a hint has told."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        yield


def _is_drawn(letter: str) -> bool:
    # neither line ends nor what only joins or varies others
    return letter.isprintable() and not 0xFE00 <= ord(letter) <= 0xFE0F


@cache
def _find_families(wanted: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    """Find installed fonts that together have these letters, and the letters that none has."""
    _notice_new_fonts()
    missing = wanted
    families = []
    for family in _installed():
        found = frozenset(letter for letter in missing & _letters(family) if _has_outline(family, letter))
        if found:
            families.append(family)
            missing -= found
        if not missing:
            break
    return families, missing


def _notice_new_fonts() -> None:
    # matplotlib's list is a file of the day it was first used
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for file in sorted(set(font_manager.findSystemFonts()) - known):
        try:
            font_manager.fontManager.addfont(file)
        except (OSError, RuntimeError, NotImplementedError):
            continue  # such as of bitmaps


def _installed() -> list[str]:
    """Return the families that are installed, preferred ones first."""
    plain = {
        entry.name
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal"
        and entry.weight in ("normal", "regular", 400)
        and entry.stretch == "normal"
        # matplotlib brings some for formulas
        and not entry.fname.startswith(mpl.get_data_path())
        # boxes for all letters there are
        and not entry.name.lstrip(".").replace(" ", "").startswith("LastResort")
    }
    others = sorted(plain - {OWN_FONT, *PREFERRED_FONTS}, key=lambda name: (not name.startswith("Noto Sans"), name))
    return [*(name for name in PREFERRED_FONTS if name in plain), *others]


@cache
def _letters(family: str) -> frozenset[str]:
    return frozenset(map(chr, _open(family).get_charmap()))


def _has_outline(family: str, letter: str) -> bool:
    """Tell whether a font can draw a letter: coloured fonts name letters that have no outline."""
    font = _open(family)
    font.load_char(ord(letter))
    return letter.isspace() or len(font.get_path()[0]) > 0


def _open(family: str) -> ft2font.FT2Font:
    return font_manager.get_font(font_manager.findfont(font_manager.FontProperties(family=[family])))


def _tell_missing(letters: Iterable[str]) -> None:
    scripts: dict[str, str] = {}
    packages = set()
    for letter in sorted(letters):
        script, package = _find_script(letter)
        scripts[script] = scripts.get(script, "") + letter
        packages.add(package)
    new = {script: found for script, found in scripts.items() if script not in _told}
    if not new:
        return
    _told.update(new)
    shown = ", ".join(f"{script} (such as {found[:LETTERS_SHOWN]})" for script, found in new.items())
    print(
        f"hint: figures show boxes for letters that no installed font has: {shown}: "
        f"install one, on Debian and Ubuntu by `apt install {' '.join(sorted(packages))}`",
        file=sys.stderr,
    )


def _find_script(letter: str) -> tuple[str, str]:
    word = unicodedata.name(letter, "unknown").split()[0].split("-")[0]
    if word in SCRIPTS:
        return SCRIPTS[word]
    if unicodedata.category(letter).startswith("S"):
        return SYMBOLS
    return word.capitalize(), OTHERS_PACKAGE
