"""What the page says of how sure predictions are."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from image_recipes.report.trust import note_range, note_set, tell_ranges, tell_sets, tell_strange

HELD = {"test_coverage": 0.912, "test_coverage_low": 0.87, "test_coverage_high": 0.94}


def test_it_says_how_often_sets_and_ranges_held() -> None:
    assert str(tell_sets({**HELD, "test_set_size": 1.25}, 250)) == (
        "Sets of classes meant to hold the true class for 90 % of new pictures held it for 91.2 % of 250 test pictures "
        "(95 % interval: 87.0 % to 94.0 %); they have 1.25 classes on average."
    )
    assert str(tell_ranges({**HELD, "test_interval_width": 13.692}, 2_000)) == (
        "Ranges meant to hold the true number for 90 % of new pictures held it for 91.2 % of 2,000 test pictures "
        "(95 % interval: 87.0 % to 94.0 %); they are 13.69 wide."
    )


def test_too_few_validation_pictures_are_said_with_the_number_needed() -> None:
    # nor does one of an earlier version say anything
    assert tell_sets({"test_accuracy": 0.9}, 20) is None
    metrics = {"test_coverage": None, "test_coverage_low": None, "test_coverage_high": None, "test_set_size": None}

    assert str(tell_sets(metrics, 20)) == (
        "Sets or ranges that hold for 90 % of new pictures take at least 9 validation pictures."
    )


def test_strange_pictures_are_named() -> None:
    test = pd.DataFrame({"index": range(8), "path": [f"a/{n}.jpg" for n in range(8)], "unfamiliar": [True] * 8})

    assert tell_strange(test.assign(unfamiliar=False)) is None
    # of an earlier version
    assert tell_strange(test.drop(columns="unfamiliar")) is None
    assert str(tell_strange(test.assign(unfamiliar=[True, *[False] * 6, True]))) == (
        "Unlike the training pictures: 2 of 8 test pictures: a/0.jpg, a/7.jpg."
    )
    assert str(tell_strange(test)) == (
        "Unlike the training pictures: 8 of 8 test pictures, such as a/0.jpg, a/1.jpg, a/2.jpg, a/3.jpg, a/4.jpg."
    )


def test_a_prediction_is_noted_with_its_set_or_range() -> None:
    # of names that hold what stands between them, the most probable first
    chances: dict[Hashable, Any] = {"probability_ash": 0.2, "probability_a | b": 0.5, "probability_oak": 0.3}
    assert [str(note) for note in note_set({"prediction_set": "ash | a | b", "unfamiliar": True, **chances})] == [
        "set for 90 % of pictures: a | b, ash",
        "unlike the training pictures",
    ]
    many: dict[Hashable, Any] = {f"probability_c{number}": 0.1 - number / 1000 for number in range(12)}
    (note,) = note_set({"prediction_set": " | ".join(f"c{number}" for number in range(12)), **many})
    assert str(note) == "set for 90 % of pictures: c0, c1, c2, c3, c4 and 7 more"
    assert [str(note) for note in note_set({"prediction_set": "", "unfamiliar": False})] == [
        "set for 90 % of pictures: empty, since no class is as probable as the true one mostly is"
    ]
    assert [str(note) for note in note_range({"low": 1.23456, "high": 20.0})] == [
        "range for 90 % of pictures: 1.235 to 20"
    ]
    # too few validation pictures, or an earlier version
    assert (
        note_set({"prediction_set": float("nan")})
        == note_range({"low": float("nan"), "high": 1.0})
        == note_set({})
        == []
    )
