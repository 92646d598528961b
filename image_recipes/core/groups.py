"""Which pictures belong together, such as near-duplicates: none may judge what another has taught."""

from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from image_recipes.core.dataset import PICTURES_FILE, load_picture_table
from image_recipes.core.loading import by_stage, check_positions, loading

# of the list of pictures: pictures that share what one of these says stay in one fold
GROUP_COLUMNS = ("group", "duplicates", "sha256")


def find_groups(folder: Path, pool: np.ndarray) -> np.ndarray:
    """Find which pictures belong together: by group, near-duplicates and content; each alone if nothing says so.

    Args:
        folder: holds the prepared dataset.
        pool: (n,), positions of pictures.

    Returns:
        A number for each group, (n,).

    Raises:
        UserError: the list of pictures is damaged.
    """
    file = folder / PICTURES_FILE
    if not file.exists():
        return np.arange(len(pool))
    table = load_picture_table(folder, dict.fromkeys(GROUP_COLUMNS, "text"))
    with loading(file, by_stage(f"prepare@{folder.name}")):
        check_positions(pool, len(table))
    table = table.iloc[pool].reset_index(drop=True)
    pairs = []
    for column in GROUP_COLUMNS:
        # each picture, and the first that says the same
        known = np.flatnonzero(table[column] != "")
        _, first, which = np.unique(table[column].to_numpy(str)[known], return_index=True, return_inverse=True)
        pairs.append(np.stack([known, known[first][which]]))
    ends = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(ends.shape[1], np.int8), (ends[0], ends[1])), shape=(len(pool), len(pool)))
    return connected_components(graph, directed=False)[1]
