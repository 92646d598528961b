"""How names are shown: in one line, in little room, and so that each can be told from the others."""

import pytest

from image_recipes.results.names import count_cells, fit_abreast, name_in_short, shorten, show_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines", r"two\nlines"),
        ("tab\tname", r"tab\tname"),
        ("a\rb", r"a\rb"),
        (" both ", "␣both␣"),
        ("  ", "␣␣"),
        ("a\u202eb", r"a\u202eb"),
        *((name, name) for name in ["$1", "<b>", "한국어", "قهوة", "👩\u200d🌾", "a\u3000b", 'q"d', "nan"]),
    ],
)
def test_a_name_is_shown_as_it_is_written_in_one_line(name: str, shown: str) -> None:
    assert show_name(name) == shown


def test_a_long_name_keeps_its_ends_within_the_cells() -> None:
    for name in ["x" * 120, "한국어" * 40, "a" * 31]:
        for cells in [10, 11, 30]:
            assert cells - 2 <= count_cells(shorten(name, cells)) <= cells
    assert shorten("Genus species number 017", 24) == "Genus species number 017"
    assert shorten("Genus species number 017", 16).endswith("017")


def test_short_names_can_be_told_apart() -> None:
    alike = [f"{'x' * 40}{number}{'x' * 40}" for number in range(12)]

    short = name_in_short([*alike, "a\nb", r"a\nb"])

    assert len(set(short)) == 14
    assert max(map(count_cells, short)) <= 30


def test_names_stand_abreast_if_they_are_short() -> None:
    assert fit_abreast([str(number) for number in range(10)])
    assert not fit_abreast(["a rather long name"] * 5)
