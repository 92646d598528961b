"""Pictures of different splits that are too alike, or belong together."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pandas as pd

from image_recipes.core.params import SPLIT_NAMES
from image_recipes.data.assignment_file import UNUSED


class Relation(NamedTuple):
    """What two pictures have to do with each other.

    Attributes:
        other: the row of the second one.
        words: "the same file as", "a near-duplicate of", "of the same group as".
    """

    other: int
    words: str


SAME, NEAR, GROUP = "the same file as", "a near-duplicate of", "of the same group as"


class Relations:
    """Which pictures are the same as, near-duplicates of, or of one group with pictures of another split.

    Args:
        pictures: as in pictures.csv: columns sha256, group, same, alike.
        splits: (N,), of each, or empty.
    """

    def __init__(self, pictures: pd.DataFrame, splits: np.ndarray) -> None:
        self._shas, self._groups = pictures["sha256"].tolist(), pictures["group"].tolist()
        # the first picture with the same pixels
        self._looks = [int(same) if same else number for number, same in enumerate(pictures["same"])]
        self._alike: dict[int, list[int]] = defaultdict(list)
        for number, alike in enumerate(pictures["alike"]):
            for other in map(int, alike.split()):
                self._alike[number].append(other)
                self._alike[other].append(number)
        # the first row of each in a split
        rows = range(len(splits) - 1, -1, -1)
        self._by_sha = {(self._shas[row], splits[row]): row for row in rows}
        self._by_look = {(self._looks[row], splits[row]): row for row in rows}
        self._by_group = {(self._groups[row], splits[row]): row for row in rows if self._groups[row]}

    def find(self, row: int, split: str, near: bool = True) -> Relation | None:
        """Find a picture of another split that has to do with the one of a row; None if there is none.

        Args:
            row: of the picture.
            split: to look in, not its own.
            near: whether near-duplicates count.
        """
        if (other := self._by_sha.get((self._shas[row], split))) is not None:
            return Relation(other, SAME)
        look = self._looks[row]
        for like in (look, *self._alike.get(look, [])) if near else ():
            if (other := self._by_look.get((like, split))) is not None:
                return Relation(other, NEAR)
        other = self._by_group.get((self._groups[row], split))
        return None if other is None else Relation(other, GROUP)


def find_left_out(pictures: pd.DataFrame, given: np.ndarray, duplicates: bool) -> dict[int, Relation]:
    """Find pictures of no given split, or of training, that have to do with one which is given for another split.

    Those given for validation or test stay where they are, and so do groups that are given.

    Args:
        pictures: as in pictures.csv.
        given: (N,), the split that each is given for, or empty.
        duplicates: whether near-duplicates are to stay out of other splits.

    Returns:
        For each row that no split may take, the given picture.
    """
    relations, left_out = Relations(pictures, given), {}
    for row, own in enumerate(given):
        others = {UNUSED: SPLIT_NAMES[::-1], "train": SPLIT_NAMES[:0:-1]}.get(own, ())
        found = next(filter(None, (relations.find(row, split, duplicates) for split in others)), None)
        if found and (own == UNUSED or (duplicates and found.words != GROUP)):
            left_out[row] = found
    return left_out


def find_leaks(pictures: pd.DataFrame, assigned: np.ndarray) -> dict[int, Relation]:
    """Find pictures to judge by that have to do with one that was learned from, or chosen by.

    Args:
        pictures: as in pictures.csv.
        assigned: (N,), the split of each, or empty.

    Returns:
        For each row of validation, a picture of training; for each of test, one of training or else validation.
    """
    relations, leaks = Relations(pictures, assigned), {}
    for row, own in enumerate(assigned):
        earlier = SPLIT_NAMES[: SPLIT_NAMES.index(own)] if own != UNUSED else ()
        found = next(filter(None, (relations.find(row, split) for split in earlier)), None)
        if found:
            leaks[row] = found
    return leaks
