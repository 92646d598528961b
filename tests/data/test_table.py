"""Tables that name pictures: whatever stands in them, it is taken or refused by an error that a person understands."""

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, TASKS, Task
from image_recipes.data.table import Columns, list_table
from pictures import make_table

COLUMNS = Columns(picture="file", target="target", split=None, group=None)


def test_rows_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    rows = [f"x/{number:03}.png,{number}" for number in range(10)]
    rows += ["../secret.png,1", "/etc/passwd,2", "x/000.png,", "x/001.png,NaN", "x/002.png,heavy", ",3", "C:\\a.png,1"]
    file = make_table(tmp_path, rows)

    listing = list_table(file, COLUMNS, REGRESSION)

    assert len(listing.pictures) == 10
    assert [(problem.path, problem.problem) for problem in listing.problems] == [
        ("../secret.png", "bad path"),
        ("/etc/passwd", "bad path"),
        ("x/000.png", "bad label"),
        ("x/001.png", "bad label"),
        ("x/002.png", "bad label"),
        ("line 17", "bad path"),
        ("C:\\a.png", "bad path"),
    ]
    assert listing.problems[4].detail == "line 16: 'heavy' is no number"


@pytest.mark.parametrize(
    ("header", "rows", "task", "message"),
    [
        ("file,weight", ["a.png,1"], "regression", "no column 'target': known: file, weight; it has file, weight"),
        ("file,target,target", ["a.png,1,2"], "regression", "two columns are named 'target': rename one"),
        ("file,target", [], "regression", "no rows below its header"),
        ("\nfile,target", ["a.png,1", "b.png,1,2"], "regression", "line 4: 3 values, but the header has 2 columns"),
        ("file,target", ["a.png,oak", "b.png,elm"], "regression", "are no numbers, such as 'oak': set task: classif"),
        (
            "file,target",
            [f"{number}.png,{number / 7}" for number in range(9)],
            "classification",
            "9 different numbers in 9 rows, such as '0.0': set task: regression",
        ),
    ],
)
def test_a_table_that_does_not_suit_is_explained(
    header: str, rows: list[str], task: str, message: str, tmp_path: Path
) -> None:
    file = make_table(tmp_path, rows, header=header)

    with pytest.raises(UserError, match=message):
        list_table(file, COLUMNS, TASKS[task])


def test_a_table_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes("file,target\na.png,나팔꽃\n".encode("cp949"))

    with pytest.raises(UserError, match=r"labels\.csv: not UTF-8: save it as CSV UTF-8"):
        list_table(tmp_path / "labels.csv", COLUMNS, CLASSIFICATION)


COLUMNS_WITH_SPLIT = Columns(picture="file", target="target", split="split", group=None)
CELLS = st.sampled_from(["a.png", "b/c.png", "../d.png", "/e.png", "", "1", "2.5", "nan", "1e400", "rose", "test"])
TEXTS = CELLS | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=8), task=st.sampled_from([CLASSIFICATION, REGRESSION]))
def test_tables_are_read_or_explained(rows: list[tuple[str, str, str]], task: Task) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerows([("file", "target", "split"), *rows])
        try:
            listing = list_table(file, COLUMNS_WITH_SPLIT, task)
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
    if task == REGRESSION:
        assert all(isinstance(label, float) for label in listing.pictures["label"])
