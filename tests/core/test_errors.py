"""What a stranger wrote is shown so that a terminal does not obey it, in one line of bounded length."""

import pickle

from image_recipes.core.errors import MOST_LETTERS, UserError


def test_control_characters_are_escaped() -> None:
    error = UserError("a\x1b[2J\nb.png: \u202egnp\u2028", "한국어 \u00a0👩\u200d🔬 café")

    assert str(error).split("\n") == [r"a\x1b[2J\nb.png: \u202egnp\u2028", "한국어 \u00a0👩\u200d🔬 café"]


def test_what_is_long_is_shortened_in_the_middle() -> None:
    line = str(UserError(f"params.yaml: epochs: {'9' * 100_000}: lower it"))

    assert len(line) == MOST_LETTERS
    assert line.startswith("params.yaml: epochs: 999")
    assert line.endswith("999: lower it")


def test_an_error_of_another_process_is_the_same() -> None:
    error = UserError("one\n\\", "2" * 10_000)

    assert str(pickle.loads(pickle.dumps(error))) == str(error)
