"""Labels: what a column is for, and what its texts become for each task."""

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, TASKS, Task
from image_recipes.data.labels import LABELS, is_missing, tell_task


@pytest.mark.parametrize(
    ("texts", "task"),
    [
        (["oak", "elm", "oak"], CLASSIFICATION),
        # digits are classes, as long as they are few and repeat
        ([str(number % 10) for number in range(100)], CLASSIFICATION),
        ([str(number / 7) for number in range(9)], REGRESSION),
        ([str(number % 21) for number in range(100)], REGRESSION),
        # what says that there is no label says nothing of the task
        (["", "nan", "N/A", "1.5", "2.5", "3.5"], REGRESSION),
        (["nan", ""], CLASSIFICATION),
        ([], CLASSIFICATION),
        # most are no numbers
        (["oak", "elm", "ash", "3", "4"], CLASSIFICATION),
    ],
)
def test_the_task_is_told_from_the_texts(texts: list[str], task: Task) -> None:
    assert tell_task(pd.Series(texts, dtype=str)) is task


def test_every_task_has_labels() -> None:
    assert list(LABELS) == list(TASKS.values())


def test_classes_are_numbered_in_order_of_their_names() -> None:
    targets, classes = LABELS[CLASSIFICATION].to_targets(pd.Series(["oak", "007", "elm", "oak"]))

    assert classes == ["007", "elm", "oak"]
    assert targets.dtype == np.int64
    assert targets.tolist() == [2, 0, 1, 2]
    assert LABELS[CLASSIFICATION].to_strata(targets).tolist() == [2, 0, 1, 2]
    none, no_classes = LABELS[CLASSIFICATION].to_targets(pd.Series([], dtype=str))
    assert (none.tolist(), no_classes) == ([], [])


def test_numbers_are_divided_as_one() -> None:
    targets, classes = LABELS[REGRESSION].to_targets(pd.Series([1.5, -2]))

    assert classes is None
    assert targets.dtype == np.float32
    assert targets.tolist() == [1.5, -2]
    assert LABELS[REGRESSION].to_strata(targets).tolist() == [0, 0]


def test_what_is_no_label_is_refused() -> None:
    texts = pd.Series(["NaN", "n/a", "", "0", "nan?"])

    assert is_missing(texts).tolist() == [True, True, True, False, False]
    assert LABELS[CLASSIFICATION].refuse_text("anything") is None
    assert LABELS[REGRESSION].refuse_text("-1e3") is None
    for text in ["many", "inf", "1e39", "1,5"]:
        assert LABELS[REGRESSION].refuse_text(text) == f"{text!r} is no number"


def test_labels_are_described() -> None:
    assert LABELS[CLASSIFICATION].describe(pd.Series(["elm", "oak", "oak"])) == "2 classes: oak 2, elm 1"
    many = pd.Series([f"class {number:02}" for number in range(11)])
    assert LABELS[CLASSIFICATION].describe(many).endswith("class 09 1, ...")
    assert LABELS[REGRESSION].describe(pd.Series([1.0, 4.0])) == "numbers from 1 to 4, 2.5 on average"
    assert (LABELS[CLASSIFICATION].guess_unit("height"), LABELS[REGRESSION].guess_unit("height")) == (None, "height")
