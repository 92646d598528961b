"""YAML that anybody may have written: read, or refused in one line."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzing import loaded_or_refused, temporary_file
from image_recipes.core.errors import UserError
from image_recipes.core.yaml_file import read_yaml

ALIASES = "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
DEEP_ALIASES = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 150))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("seed: " + "9" * 5_000, "line 1: not valid YAML: '999"),
        ("a: 1\nseed: 0x" + "f" * 5_000, "line 2: not valid YAML: '0xfff"),
        ('seed: !!int "x"', "line 1: not valid YAML: 'x' cannot be read as int"),
        ('seed: !!int ""', "cannot be read as int"),
        ('seed: !!bool "x"', "cannot be read as bool"),
        ("seed: -_", "cannot be read as int"),
        ("seed: 2020-13-45", "cannot be read as timestamp"),
        (r'seed: "\ud800"', "cannot be read as str"),
        (r'seed: "\UFFFFFFFF"', "not valid YAML: Python int too large"),
        ("? {a: 1}\n: 2", "found unhashable key"),
        ("a: " + "[" * 1_000 + "]" * 1_000, "nested more than 100 levels deep"),
        ("a: " + "[" * 101 + "]" * 101, "nested more than 100 levels deep"),
        (DEEP_ALIASES, "nested more than 100 levels deep"),
        ("a: &a {b: *a}", "nested more than 100 levels deep, or without end"),
        (ALIASES, "stands for more than 1,000,000 values"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(content, "utf-8")

    with pytest.raises(UserError) as caught:
        read_yaml(tmp_path / "p.yaml")

    (line,) = str(caught.value).splitlines()
    assert said in line
    assert len(line) < 300 + len(str(tmp_path))


def test_what_is_nested_as_far_as_anybody_needs_is_read(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("a: &a " + "[" * 90 + "]" * 90 + "\nb: *a\n", "utf-8")

    assert list(read_yaml(tmp_path / "p.yaml")) == ["a", "b"]


WORDS = st.sampled_from(
    [
        *(
            "a",
            ": ",
            "\n",
            "- ",
            "[",
            "]",
            "{",
            "}",
            "&x ",
            "*x",
            "!!int ",
            "!!float ",
            "!!set ",
            "!!omap ",
            "? ",
            "| ",
        ),
        *(
            '"',
            "<<",
            "0x",
            "1",
            ".",
            "-",
            "_",
            "%YAML 1.1\n---\n",
            "2020-1-1",
            "\\u",
            "\\x",
            "#",
            ",",
            "  ",
            "\t",
            "\ufeff",
        ),
    ]
)


@given(st.lists(WORDS | st.text(max_size=3), max_size=30).map("".join))
@example("a: !!omap [x]")
@example("%YAML x\n---\na: 1")
@example("<<: 1")
def test_any_text_is_read_or_refused(text: str) -> None:
    with temporary_file(text.encode("utf-8", "surrogatepass"), "p.yaml") as file:
        values = loaded_or_refused(lambda: read_yaml(file))
    # whatever it is, it can be shown
    repr(values).encode()
