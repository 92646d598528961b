"""Splits of own pictures: fair to classes, whole groups together, and stable when pictures come."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.errors import UserError
from image_recipes.data.assignment import assign_splits, find_given
from image_recipes.data.assignment_file import find_before, load_assignment, save_assignment
from image_recipes.data.leaks import find_leaks, find_left_out
from image_recipes.data.own_pictures import OwnSplit

SHARES: dict[str, Any] = {"train": 0.7, "validation": 0.15, "test": 0.15, "keep_together": "duplicates"}
MADE_BY = "seed 0, train 0.7, validation 0.15, test 0.15, keep_together duplicates"


def some(count: int, start: int = 0) -> pd.DataFrame:
    """Pictures without groups or given splits."""
    names = [f"{number:05}" for number in range(start, start + count)]
    shas = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    return pd.DataFrame(
        {"path": names, "sha256": shas, "split": "", "group": "", "same": "", "alike": "", "duplicates": ""}
    )


def split(**changes: Any) -> OwnSplit:
    return OwnSplit.model_validate({**SHARES, **changes})


def assign(
    pictures: pd.DataFrame, strata: np.ndarray, wanted: OwnSplit, seed: int, before: np.ndarray | None = None
) -> np.ndarray:
    given = find_given(pictures, wanted)
    left_out = find_left_out(pictures, given, wanted.keep_together == "duplicates")
    known = pictures.assign(given=given, before="" if before is None else before, left_out=False)
    known.loc[list(left_out), "left_out"] = True
    return assign_splits(known, strata, wanted, seed)


def counts(assigned: np.ndarray) -> dict[str, int]:
    names, numbers = np.unique(assigned.astype(str), return_counts=True)
    return dict(zip(names.tolist(), numbers.tolist(), strict=True))


def test_each_class_is_divided_alike() -> None:
    strata = np.repeat([0, 1, 2], [600, 300, 100])

    assigned = assign(some(1_000), strata, split(), 0)

    assert counts(assigned) == {"train": 700, "validation": 150, "test": 150}
    for number, size in enumerate([600, 300, 100]):
        part = counts(assigned[strata == number])
        assert part == {"train": 0.7 * size, "validation": 0.15 * size, "test": 0.15 * size}


def test_numbers_of_pictures_are_kept() -> None:
    wanted = split(train=500, validation=100, test=50)

    assert counts(assign(some(1_000), np.zeros(1_000, int), wanted, 0)) == {
        "": 350,
        "train": 500,
        "validation": 100,
        "test": 50,
    }
    with pytest.raises(UserError, match=r"train 500, validation 100, test 50 is more than the 640 pictures there are"):
        assign(some(640), np.zeros(640, int), wanted, 0)


def test_the_seed_alone_decides_not_the_order() -> None:
    pictures, strata = some(200), np.arange(200) % 2
    shuffled = np.random.default_rng(0).permutation(200)

    first = assign(pictures, strata, split(), 0)
    second = assign(pictures.iloc[shuffled].reset_index(drop=True), strata[shuffled], split(), 0)

    np.testing.assert_array_equal(first[shuffled], second)
    assert (first != assign(pictures, strata, split(), 1)).mean() > 0.2


def test_groups_stay_together() -> None:
    random = np.random.default_rng(0)
    pictures, strata = some(1_000), random.integers(0, 3, 1_000)
    pictures["group"] = [f"plant {number}" for number in random.integers(0, 120, 1_000)]
    # near-duplicates link two groups
    pictures.loc[[3, 700], "duplicates"] = "1"

    assigned = assign(pictures, strata, split(), 0)

    assert pictures.assign(assigned=assigned).groupby("group")["assigned"].nunique().max() == 1
    assert assigned[3] == assigned[700]
    for name, share in [("train", 0.7), ("validation", 0.15), ("test", 0.15)]:
        assert counts(assigned)[name] == pytest.approx(1_000 * share, abs=15)


@pytest.mark.parametrize("wanted", [split(), split(train=20, validation=5, test=10)])
def test_new_pictures_leave_old_ones_where_they_were(wanted: OwnSplit, tmp_path: Path) -> None:
    file = tmp_path / "assigned.csv"
    before = load_assignment(file, MADE_BY)
    for count in [40, 60, 61, 200, 1_000]:
        pictures = some(count)
        assigned = assign(pictures, np.arange(count) % 3, wanted, 0, find_before(pictures, before))
        now = dict(zip(pictures["sha256"].str[:12], assigned, strict=True))
        assert all(now[sha] == name for sha, name in zip(before["sha256"], before["split"], strict=True))
        expected = 0.15 * count if wanted.test == 0.15 else 10
        assert counts(assigned)["test"] == pytest.approx(expected, abs=1)
        save_assignment(pictures.assign(assigned=assigned, leak=""), before, MADE_BY, file)
        before = load_assignment(file, MADE_BY)
        assert dict(zip(before["sha256"], before["split"], strict=True)) == {s: n for s, n in now.items() if n}
    # other settings begin again
    assert load_assignment(file, MADE_BY.replace("seed 0", "seed 1")).empty


def test_pictures_that_come_back_or_are_saved_anew_keep_their_split(tmp_path: Path) -> None:
    file, pictures = tmp_path / "assigned.csv", some(100)
    first = assign(pictures, np.zeros(100, int), split(), 0)
    save_assignment(pictures.assign(assigned=first, leak=""), load_assignment(file, MADE_BY), MADE_BY, file)
    # for one run only a part is there
    part = pictures.iloc[::2].reset_index(drop=True)
    known = load_assignment(file, MADE_BY)
    second = assign(part, np.zeros(50, int), split(), 0, find_before(part, known))
    save_assignment(part.assign(assigned=second, leak=""), known, MADE_BY, file)
    shas = pictures["sha256"].tolist()
    altered = pictures.assign(sha256=[sha if number % 3 else sha[::-1] for number, sha in enumerate(shas)])

    third = assign(altered, np.zeros(100, int), split(), 0, find_before(altered, load_assignment(file, MADE_BY)))

    np.testing.assert_array_equal(first, third)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file, pictures = tmp_path / "assigned.csv", some(10)
    save_assignment(pictures.assign(assigned="test", leak=""), load_assignment(file, MADE_BY), MADE_BY, file)
    file.write_text(file.read_text("utf-8").replace("00004", "<<<<<<< HEAD\n00004"), "utf-8")

    with pytest.raises(
        UserError, match=r"assigned\.csv: missing or damaged: fix it, or take the last one by `git checkout"
    ):
        load_assignment(file, MADE_BY)


def test_a_test_picture_never_becomes_a_training_picture() -> None:
    pictures = some(100)
    first = assign(pictures, np.zeros(100, int), split(), 0)
    test, train = np.flatnonzero(first == "test"), np.flatnonzero(first == "train")
    # a new picture that is a near-duplicate of one of each
    grown = some(101)
    grown.loc[[test[0], train[0], 100], "duplicates"] = "1"

    assigned = assign(grown, np.zeros(101, int), split(), 0, np.append(first, ""))

    assert set(assigned[test]) == {"test"}
    assert assigned[train[0]] == assigned[100] == "test"
    assert np.sum(assigned[:100] != first) == 1


def test_sizes_are_exact_whatever_the_classes() -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        sizes = random.integers(1, 30, random.integers(1, 12))
        strata = np.repeat(np.arange(len(sizes)), sizes)
        count = len(strata)
        if count < 12:
            continue
        shares = random.dirichlet([3, 1, 1])
        wanted = [max(1, int(share * count * 0.8)) for share in shares]
        assigned = assign(
            some(count), strata, split(train=wanted[0], validation=wanted[1], test=wanted[2]), int(random.integers(9))
        )
        assert [counts(assigned)[name] for name in ["train", "validation", "test"]] == wanted
        for number, size in enumerate(sizes):
            part = counts(assigned[strata == number])
            for name, number_wanted in zip(["train", "validation", "test"], wanted, strict=True):
                assert abs(part.get(name, 0) - size * number_wanted / count) < 2


def test_all_alike_is_explained() -> None:
    pictures = some(50)
    pictures["duplicates"] = "1"

    with pytest.raises(UserError, match=r"50 of 50 pictures are near-duplicates and stay together: set keep_together"):
        assign(pictures, np.zeros(50, int), split(), 0)


def test_given_splits_are_kept() -> None:
    pictures = some(100)
    pictures["split"] = ["test"] * 20 + ["train"] * 80

    assigned = assign(pictures, np.arange(100) % 2, split(train=0.8, validation=0.2, test="given"), 0)

    assert set(assigned[:20]) == {"test"}
    assert counts(assigned[20:]) == {"train": 64, "validation": 16}
    with pytest.raises(
        UserError, match=r"split\.validation: no picture is left for it: it is given, but the source names"
    ):
        assign(pictures, np.zeros(100, int), split(train="given", validation="given", test="given"), 0)


def test_leaks_are_found_between_pairs_not_along_chains() -> None:
    pictures = some(9)
    # 0 like 1 like 2, but 0 unlike 2; 3 has the pixels of 4, which is like 5; 6 and 8 of one group
    pictures["alike"] = ["", "0", "1", "", "", "3", "", "", ""]
    pictures["same"] = ["", "", "", "", "3", "", "", "", ""]
    pictures["duplicates"] = ["0", "0", "0", "3", "3", "3", "", "", ""]
    pictures.loc[[6, 8], "group"] = "plant"
    assigned = np.array(["train", "", "test", "test", "test", "train", "validation", "test", "train"], object)

    found = find_leaks(pictures, assigned)
    assert {row: relation.other for row, relation in found.items()} == {3: 5, 4: 5, 6: 8}
    assert found[3].words == "a near-duplicate of"
    assert found[6].words == "of the same group as"


def test_given_pictures_stay_and_what_is_like_them_is_left_out() -> None:
    pictures = some(100)
    pictures["split"] = ["test"] * 20 + [""] * 80
    # 50 and 51 are like test pictures, 52 only like 51; 53 is the same file; 54 of its group
    alike = {50: "0", 51: "1", 52: "51"}
    pictures["alike"] = [alike.get(number, "") for number in range(100)]
    pictures.loc[[0, 1, 50, 51, 52], "duplicates"] = "0"
    pictures.loc[53, "sha256"] = pictures["sha256"][2]
    pictures.loc[[3, 54], "group"] = "plant"

    assigned = assign(pictures, np.arange(100) % 2, split(train=0.8, validation=0.2, test="given"), 0)

    assert set(np.flatnonzero(assigned == "test")) == set(range(20))
    assert set(np.flatnonzero(assigned == "")) == {50, 51, 53, 54}
    assert not find_leaks(pictures, assigned)
    # near-duplicates may stay if that is wanted
    kept = assign(
        pictures, np.arange(100) % 2, split(train=0.8, validation=0.2, test="given", keep_together="nothing"), 0
    )
    assert set(np.flatnonzero(kept == "")) == {53, 54}
    assert {0, 1} <= set(find_leaks(pictures, kept))


def test_given_training_pictures_leave_for_near_duplicates_and_given_judges_do_not() -> None:
    pictures = some(40)
    pictures["split"] = ["train"] * 20 + ["validation"] * 10 + ["test"] * 10
    # training like test, validation like test, a group across training and test
    alike = {30: "0", 31: "20"}
    pictures["alike"] = [alike.get(number, "") for number in range(40)]
    pictures.loc[[1, 32], "group"] = "plant"
    wanted = split(train="given", validation="given", test="given")

    assigned = assign(pictures, np.arange(40) % 2, wanted, 0)

    assert np.flatnonzero(assigned != pictures["split"]).tolist() == [0]
    leaks = find_leaks(pictures, assigned)
    assert {row: (relation.other, relation.words) for row, relation in leaks.items()} == {
        31: (20, "a near-duplicate of"),
        32: (1, "of the same group as"),
    }


def test_a_rare_class_is_in_training() -> None:
    for seed in range(20):
        sizes = [40, 2, 1, 1, 3]
        strata = np.repeat(np.arange(5), sizes)
        pictures = some(len(strata))
        # both of the second class are one unit with some of the first
        pictures.loc[[5, 40, 41], "duplicates"] = "5"
        assigned = assign(pictures, strata, split(train=0.4, validation=0.3, test=0.3), seed)
        assert set(strata[assigned == "train"]) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("changes", "wanted", "said"),
    [
        ({}, {"test": 0.001, "train": 0.8}, "of 100 pictures its share is too small for one"),
        ({"group": "plant"}, {}, "100 of 100 pictures are of the same group and stay together: give no group"),
        ({"sha256": "0" * 64}, {}, "100 of 100 pictures are of the same file and stay together"),
    ],
)
def test_the_cause_of_an_empty_split_is_told(changes: dict[str, str], wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        assign(some(100).assign(**changes), np.zeros(100, int), split(**wanted), 0)


def test_one_picture_of_each_class_is_too_few() -> None:
    with pytest.raises(UserError, match="there are 2 pictures of 2 classes, and training keeps one of each"):
        assign(some(2), np.array([0, 1]), split(), 0)


def test_the_file_is_small_and_an_old_one_is_read(tmp_path: Path) -> None:
    pictures = some(20_000)
    pictures["path"] = [f"t-shirt/{number:05}.png" for number in range(20_000)]
    assigned = assign(pictures, np.zeros(20_000, int), split(), 0)
    file, old = tmp_path / "new.csv", tmp_path / "old.csv"
    table = pictures.assign(split=assigned, leak="")[["path", "sha256", "split", "leak"]]
    old.write_text(f"# {MADE_BY}\n" + table.to_csv(index=False), "utf-8")
    before = load_assignment(old, MADE_BY)

    save_assignment(pictures.assign(assigned=assigned, leak=""), before, MADE_BY, file)

    # 70,000 pictures take less than 2 MB
    assert file.stat().st_size * 3.5 < 2_000_000
    for found in (before, load_assignment(file, MADE_BY)):
        np.testing.assert_array_equal(find_before(pictures, found), assigned)
    test = table[assigned == "test"].iloc[0]
    assert f"{test['path']},{test['sha256'][:12]},test," in file.read_text("utf-8")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: "\n",
        lambda text: text.splitlines(keepends=True)[0],
        lambda text: "".join(text.splitlines(keepends=True)[:2]),
        lambda text: text[:-1],
        lambda text: text[: len(text) // 2],
        lambda text: "<<<<<<< HEAD\n" + text,
        lambda text: text.replace("# seed", "# sead"),
        lambda text: text.replace("split", "part"),
        lambda text: text.replace(",test,", ",exam,", 1),
        lambda text: text.replace("00004,", "00004", 1),
        lambda text: text.replace("00004,", '"00004,', 1),
        lambda text: text.replace("00004,", "00004,x", 1),
        lambda text: "\xff" + text,
    ],
)
def test_what_is_damaged_does_not_count_for_none(damage: Callable[[str], str], tmp_path: Path) -> None:
    file, pictures = tmp_path / "assigned.csv", some(10)
    save_assignment(pictures.assign(assigned="test", leak=""), load_assignment(file, MADE_BY), MADE_BY, file)
    file.write_text(damage(file.read_text("utf-8")), "latin-1")

    for made_by in (MADE_BY, MADE_BY.replace("seed 0", "seed 1")):
        with pytest.raises(UserError, match=r"assigned\.csv: missing or damaged: fix it, or take the last one by"):
            load_assignment(file, made_by)


def test_pictures_that_were_published_in_an_order_have_no_split_before(tmp_path: Path) -> None:
    (tmp_path / "assigned.csv").write_text("# in the published order\n", "utf-8")

    assert load_assignment(tmp_path / "assigned.csv", MADE_BY).empty
