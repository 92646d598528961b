"""Which picture a row of a table is about: the path of its file."""

from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.core.dataset import PICTURES_FILE, load_picture_table
from image_recipes.core.loading import by_stage, check_positions, loading
from image_recipes.results.names import show_name

PATH = "path"


def insert_paths(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Say in a column `path`, after `index`, which file each row's picture is.

    Args:
        table: has a column `index`, the position in the prepared images.
        folder: holds the prepared dataset.

    Returns:
        A new table. The path is relative to the dataset's folder of raw pictures; where the pictures are not
        files of their own, as those of MNIST, it is `#` and the index.

    Raises:
        UserError: the folder's list of files is damaged, or shorter than the index says.
    """
    named = table.copy()
    file = folder / PICTURES_FILE
    if file.exists():
        paths, index = load_picture_table(folder, {PATH: "text"})[PATH], table["index"].to_numpy()
        with loading(file, by_stage(f"prepare@{folder.name}")):
            check_positions(index, len(paths))
            shown = paths.iloc[index].to_numpy()
    else:
        shown = np.array([f"#{index}" for index in table["index"]], object)
    named.insert(list(named.columns).index("index") + 1, PATH, shown)
    return named


def show_paths(pictures: pd.DataFrame) -> list[str]:
    """Return each row's path in one line; in tables of earlier versions, which have none, `#` and the index."""
    if PATH in pictures:
        return list(map(show_name, pictures[PATH]))
    return [f"#{index}" for index in pictures["index"]]


def name_files(pictures: pd.DataFrame) -> list[str]:
    """Return the name of each row's file in one line, or nothing where the picture is no file of its own."""
    shown = zip(show_paths(pictures), pictures["index"], strict=True)
    return ["" if path == f"#{index}" else path.rsplit("/", 1)[-1] for path, index in shown]
