"""Tables that a person's disk, editor or download has damaged: read, or refused in one line."""

import io
import json
from functools import partial

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzzing import damaged, loaded_or_refused, temporary_file
from image_recipes.intake.table_file import read_raw_table

ROWS = pd.DataFrame({"file": ["a.png", "b/ü.png", "c.png"], "weight": [1.5, 20, 3], "kind": ["rose", "007", "NA"]})


def excel() -> bytes:
    stream = io.BytesIO()
    ROWS.to_excel(stream, index=False)
    return stream.getvalue()


TABLES = {
    "t.csv": ROWS.to_csv(index=False).encode(),
    "t.tsv": ROWS.to_csv(index=False, sep="\t").encode("utf-16"),
    "latin.csv": ROWS.to_csv(index=False, sep=";", decimal=",").encode("cp1252"),
    "t.json": ROWS.to_json(orient="records").encode(),
    "t.jsonl": ROWS.to_json(orient="records", lines=True).encode(),
    "t.xlsx": excel(),
}


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
def test_a_damaged_table_is_read_or_refused(name: str, data: st.DataObject) -> None:
    with temporary_file(data.draw(damaged(TABLES[name])), name) as file:
        table = loaded_or_refused(lambda: read_raw_table(file))
    assert table is None or table.frame.columns.is_unique


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.lists(JSON, max_size=4).map(lambda rows: json.dumps(rows)))
@example('[{"a": ' + "9" * 5_000 + "}]")
@example("[" * 100_000)
@example('[{"a": "\\ud800"}]')
def test_any_json_is_read_or_refused(text: str) -> None:
    for name in ("t.json", "t.jsonl"):
        with temporary_file(text.encode(), name) as file:
            loaded_or_refused(partial(read_raw_table, file))


@given(st.text(st.sampled_from(list('ab1.,;\t|"\n\r =\0\x1b\u2028')), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with temporary_file(text.encode(), "t.csv") as file:
        loaded_or_refused(lambda: read_raw_table(file))
