"""Whatever stands in params.yaml or a table: it is taken, or refused by an error that a person understands."""

import csv
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from conftest import TINY_PARAMS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from image_recipes.checks import check_params
from image_recipes.errors import UserError
from image_recipes.table import Columns, list_table

COLUMNS = Columns(picture="file", target="target", split="split", group=None)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def keys(section: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all keys of nested mappings and lists."""
    children = section.items() if isinstance(section, dict) else enumerate(section) if isinstance(section, list) else []
    found = []
    for key, value in children:
        found += [(*path, key), *keys(value, (*path, key))]
    return found


PARAMS = YAML(typ="safe", pure=True).load(TINY_PARAMS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(keys(PARAMS)), value=VALUES, remove=st.booleans())
def test_params_are_good_or_explained(
    key: tuple[Any, ...], value: Any, remove: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = YAML(typ="safe", pure=True).load(TINY_PARAMS)
    section = params
    for part in key[:-1]:
        section = section[part]
    if remove:
        del section[key[-1]]
    else:
        section[key[-1]] = value
    with TemporaryDirectory() as folder:
        monkeypatch.chdir(folder)
        with Path("params.yaml").open("w", encoding="utf-8") as stream:
            YAML(typ="safe", pure=True).dump(params, stream)
        try:
            recipes = check_params()
        except UserError as error:
            for line in str(error).splitlines():
                assert line.startswith("params.yaml")
        else:
            assert {name for names in recipes.values() for name in names} == set(params["recipes"])


CELLS = st.sampled_from(["a.png", "b/c.png", "../d.png", "/e.png", "", "1", "2.5", "nan", "1e400", "rose", "test"])
TEXTS = CELLS | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=8), task=st.sampled_from(["classification", "regression"])
)
def test_tables_are_read_or_explained(rows: list[tuple[str, str, str]], task: str) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerows([("file", "target", "split"), *rows])
        try:
            listing = list_table(file, COLUMNS, task)
        except UserError as error:
            explanation = str(error)
        else:
            explanation = ""
    if explanation:
        assert explanation.startswith(str(file))
        return
    # every row is listed, or said to be a problem; no path leaves the folder
    assert len(listing.pictures) + len(listing.problems) == len(rows)
    for path in listing.pictures["path"]:
        assert not Path(path).is_absolute()
        assert ".." not in Path(path).parts
    if task == "regression":
        assert all(isinstance(label, float) for label in listing.pictures["label"])
