"""The settings of one's own pictures: what is no split or region is refused."""

from pathlib import Path
from typing import Any

import pytest

from image_recipes.data.decode import Region
from image_recipes.data.own_pictures import OwnSplit
from pictures import table_settings


def split(**changes: Any) -> OwnSplit:
    shares = {"train": 0.7, "validation": 0.15, "test": 0.15, "keep_together": "duplicates"}
    return OwnSplit.model_validate({**shares, **changes})


def test_shares_above_all_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the shares add up to 1\.1"):
        split(train=0.8)
    for wrong in [0, 1.5, -3, "some", True, None]:
        with pytest.raises(ValueError, match="give a share between 0 and 1, a number of pictures, or `given`"):
            split(test=wrong)


def test_an_empty_region_is_refused() -> None:
    with pytest.raises(ValueError, match="left must be below right, and top below bottom"):
        Region(left=0.5, top=0, right=0.5, bottom=1)


def test_an_unknown_task_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give 'classification' or 'regression', not 'segmentation'"):
        table_settings(tmp_path, "labels.csv", "segmentation")
