"""Splits into training, validation and test: their names, and how each kind of dataset is divided."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from image_recipes.core.dataset import load_info, load_targets
from image_recipes.core.errors import UserError, escape
from image_recipes.core.files import write_text
from image_recipes.core.params import Count, Section, SplitName, Text
from image_recipes.core.tasks import TASKS
from image_recipes.data.assignment import assign_pictures
from image_recipes.data.assignment_file import IN_PUBLISHED_ORDER
from image_recipes.data.labels import LABELS
from image_recipes.data.own_pictures import OwnPictures

# what a split may be called in folders and tables, in lower case
SPLIT_ALIASES: dict[str, SplitName] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(
        ("validation", "validate", "val", "valid", "dev", "development", "eval", "evaluation"), "validation"
    ),
    **dict.fromkeys(("test", "testing", "tst", "holdout", "heldout", "hold-out", "held-out"), "test"),
}


class SplitSizes(Section):
    """How many pictures each split gets."""

    train: Count
    validation: Count
    test: Count


class PublishedPictures(Section):
    """What every dataset has whose pictures come in a published order of blocks."""

    raw: Text
    samples: SplitName
    split: SplitSizes


# what it means that a split has no picture of a class
LACKING: dict[SplitName, str] = {
    "train": "it cannot be learned",
    "validation": "nothing judges it during training",
    "test": "nothing says how well it was learned",
}


def split_dataset(folder: Path, settings: OwnPictures | PublishedPictures, file: Path) -> dict[str, np.ndarray]:
    """Divide a prepared dataset: a person's own pictures by shares, others as they are published.

    Args:
        folder: holds the prepared dataset.
        settings: the dataset's.
        file: which picture has which split; read, and written again.

    Returns:
        For each split, int64 indices into the prepared images.

    Raises:
        UserError: fewer pictures than wanted, or a split would be empty.
    """
    if isinstance(settings, OwnPictures):
        info = load_info(folder)
        strata = LABELS[TASKS[settings.task]].to_strata(load_targets(folder, info, info.pictures))
        indices = assign_pictures(folder, settings, strata, file)
        for split, consequence in LACKING.items():
            # numbers are one stratum, which no split lacks
            if lacking := set(strata) - set(strata[indices[split]]):
                names = ", ".join(info.class_names[number] for number in sorted(lacking))
                print(escape(f"{settings.raw}: no {split} picture of {names}: {consequence}"))
        return indices
    write_text(f"{IN_PUBLISHED_ORDER}\n", file)
    return split_indices(load_info(folder).parts, settings.split.model_dump())


def split_indices(parts: Mapping[str, int], split: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Choose images for each split, in the order in which they are published.

    Args:
        parts: the sizes of the blocks in which the images lie, one after the other.
            A split takes the first images of the block of its own name; `validation`,
            where it has no block, takes those of `train` after the training images.
        split: how many images each of train, validation and test gets, in this order.

    Returns:
        For each split, int64 indices into the prepared images.

    Raises:
        UserError: a block has fewer images than are wanted of it.

    >>> split_indices({"train": 5, "test": 2}, {"train": 3, "validation": 2, "test": 1})["test"]
    array([5])
    """
    starts = dict(zip(parts, np.cumsum([0, *parts.values()]), strict=False))
    taken = dict.fromkeys(parts, 0)
    indices = {}
    for name, count in split.items():
        part = name if name in parts else "train"
        if taken[part] + count > parts[part]:
            raise UserError(
                f"split.{name}: {count:,} pictures wanted, but {parts[part] - taken[part]:,} are left of the "
                f"{parts[part]:,} in {part!r}: lower the sizes under split in params.yaml"
            )
        indices[name] = np.arange(taken[part], taken[part] + count, dtype=np.int64) + starts[part]
        taken[part] += count
    return indices
