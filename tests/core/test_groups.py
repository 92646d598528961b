"""What belongs together."""

from pathlib import Path

import numpy as np

from image_recipes.core.groups import find_groups


def test_groups_are_joined_by_group_near_duplicates_and_content(tmp_path: Path) -> None:
    rows = ["a,,1", "a,x,2", ",x,3", ",,4", ",,4", "b,,5", ",y,6"]
    (tmp_path / "pictures.csv").write_text("group,duplicates,sha256\n" + "\n".join(rows) + "\n", "utf-8")

    groups = find_groups(tmp_path, np.array([6, 5, 4, 3, 2, 1, 0]))

    assert [list(np.flatnonzero(groups == group)) for group in dict.fromkeys(groups)] == [[0], [1], [2, 3], [4, 5, 6]]
    # a dataset whose pictures are no files
    assert len(set(find_groups(tmp_path / "none", np.arange(5)))) == 5
