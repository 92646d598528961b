"""Entries of params.yaml that come and go; all other bytes stay."""

from pathlib import Path
from typing import Any

import pytest

from image_recipes.commands.params_file import remove_params, write_params
from image_recipes.core.errors import UserError
from projects import ROOT, TINY_PARAMS, Project, load_yaml

EMPTY = "seed: 0\n# mine\ndatasets: {}  # none yet\n\nrecipes: { }\narchitectures: {}\n"
ENTRIES: dict[str, dict[str, Any]] = {
    "datasets": {"leaves": {"source": "folder"}},
    "recipes": {"leaves_cnn": {"dataset": "leaves", "epochs": 3}},
    "architectures": {"small": ["Flatten", {"Dense": {"units": 5}}]},
}


def test_empty_sections_are_filled_and_emptied_again(in_bare_project: Project) -> None:
    Path("params.yaml").write_text(EMPTY, "utf-8")

    write_params(ENTRIES)

    text = Path("params.yaml").read_text("utf-8")
    assert "# mine\ndatasets:  # none yet\n  leaves:\n    source: folder\n\nrecipes:\n  leaves_cnn:\n" in text
    assert load_yaml(Path("params.yaml")) == {"seed": 0, **ENTRIES}

    remove_params({section: list(values) for section, values in ENTRIES.items()})

    assert Path("params.yaml").read_text("utf-8") == EMPTY.replace("{ }", "{}")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_is_written_and_removed_leaves_no_trace(ending: str, in_bare_project: Project) -> None:
    text = TINY_PARAMS.replace("recipes:", "\n# the models\nrecipes:").replace("\n", ending).rstrip() + ending * 3
    Path("params.yaml").write_bytes(text.encode())

    write_params(ENTRIES | {"architectures": {"other": ["Flatten"]}})
    remove_params({"datasets": ["leaves"], "recipes": ["leaves_cnn"], "architectures": ["other"]})

    assert Path("params.yaml").read_bytes() == text.encode()


def test_a_comment_goes_with_what_it_stands_on_and_no_other(in_bare_project: Project) -> None:
    text = (ROOT / "params.yaml").read_text("utf-8")
    Path("params.yaml").write_text(text, "utf-8")

    remove_params({"recipes": ["mnist_fast", "dots_pool"], "architectures": ["fast_cnn", "pool"]})

    after = Path("params.yaml").read_text("utf-8")
    gone = [line for line in text.splitlines() if line not in after.splitlines()]
    assert "  # not of the lectures: 99 % in a few seconds" in gone
    assert all(line.startswith("  ") for line in gone)
    # before, between and after them
    assert "\n# Each is a list of `keras.layers`" in after
    assert after.startswith(text[: text.index("  # not of the lectures")])
    assert set(load_yaml(Path("params.yaml"))["architectures"]) & {"fast_cnn", "pool"} == set()


def test_entries_that_share_a_line_are_left_alone(in_bare_project: Project) -> None:
    text = "seed: 0\ndatasets: {a: {source: x}, b: {source: y}}\n"
    Path("params.yaml").write_text(text, "utf-8")

    with pytest.raises(UserError, match=r"params\.yaml: .*give each key a line of its own"):
        remove_params({"datasets": ["a"]})

    assert Path("params.yaml").read_text("utf-8") == text
