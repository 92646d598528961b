"""Which pictures a learning curve learns from: a quarter of them, a half with these among them, and all."""

from collections.abc import Sequence

import numpy as np

from image_recipes.core.errors import UserError
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task

SHARES = (0.25, 0.5, 1.0)
# numbers are spread over so many ranges that hold as many pictures each
RANGES = 10


def choose_parts(targets: np.ndarray, groups: np.ndarray, task: Task, seed: int) -> list[np.ndarray]:
    """Choose nested parts of the training pictures at random, each like the whole.

    Every class, or range of numbers, gives the same share of its pictures, and at least one. Groups stay whole,
    so that the half has no copies of what the quarter has already.

    Args:
        targets: (n,).
        groups: (n,), a number for each group.
        task: says what makes pictures alike.
        seed: of the choice.

    Returns:
        Positions, ascending, of a quarter, a half and all.
    """
    _, first, members = np.unique(groups, return_index=True, return_inverse=True)
    # a group is of its first picture's kind
    kinds = KINDS[task](targets)[first]
    order = np.random.default_rng(seed).permutation(len(first))
    order = order[np.argsort(kinds[order], kind="stable")]
    sizes = np.bincount(members)[order]
    starts = np.r_[True, np.diff(kinds[order]) != 0]
    ends = np.cumsum(sizes)
    kind = np.cumsum(starts) - 1
    before = (ends - sizes)[starts][kind]
    total = np.add.reduceat(sizes, np.flatnonzero(starts))[kind]
    # where the middle of a group lies among the pictures of its kind, from 0 to 1
    places = (ends - sizes / 2 - before) / total
    places[starts] = 0
    place_of = np.empty(len(first))
    place_of[order] = places
    return [np.flatnonzero(place_of[members] <= share) for share in SHARES]


def check_parts(parts: Sequence[np.ndarray], batch_size: int, key: str) -> None:
    """Check that parts are large enough to learn from, and differ.

    Raises:
        UserError: they are not; `key` names the recipe.
    """
    sizes = [len(part) for part in parts]
    if sizes[0] < batch_size:
        raise UserError(
            f"{key}: a quarter of its {sizes[-1]:,} training pictures is {sizes[0]:,}, less than its batch_size of "
            f"{batch_size:,}: a learning curve needs about {batch_size / SHARES[0]:,.0f} training pictures"
        )
    if len(set(sizes)) < len(sizes):
        raise UserError(
            f"{key}: its {sizes[-1]:,} training pictures are of too few groups that stay together to take a quarter "
            "and a half of them: a learning curve needs more groups"
        )


def _ranges(numbers: np.ndarray) -> np.ndarray:
    ranks = np.argsort(np.argsort(numbers, kind="stable"), kind="stable")
    return ranks * RANGES // len(numbers)


KINDS = {CLASSIFICATION: lambda targets: targets, REGRESSION: _ranges}
