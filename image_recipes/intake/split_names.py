"""Which split a name stands for, as people write it."""

import re
from collections.abc import Sequence

from image_recipes.core.params import SplitName
from image_recipes.data.splits import SPLIT_ALIASES


def split_named(name: str) -> SplitName | None:
    """Tell which split a name such as `seg_train`, `Testing` or `hold_out` stands for; None for none."""
    words = re.findall("[a-z]+", re.sub("(hold|held)[ _-]out", "holdout", name.lower()))
    found = {SPLIT_ALIASES[word] for word in words if word in SPLIT_ALIASES}
    return found.pop() if len(found) == 1 else None


def name_splits(names: Sequence[str]) -> dict[str, SplitName]:
    """Tell which split each of some names stands for, by all of them; those that stand for none are left out.

    >>> name_splits(["train", "val", "eval", "notes"])
    {'train': 'train', 'val': 'validation', 'eval': 'test'}
    """
    named = {name: split for name in names if (split := split_named(name))}
    if "test" not in named.values():
        # what is left to evaluate on, where another folder is there to validate
        final = [name for name in named if re.search("eval", name, re.IGNORECASE)]
        if final and len([name for name, split in named.items() if split == "validation"]) > len(final):
            named.update(dict.fromkeys(final, "test"))
    return named
