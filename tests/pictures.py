"""Pictures of one's own for tests: made here, in folders and tables."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from image_recipes.data.folder import FolderDataset
from image_recipes.data.table import TableDataset

COMMON: dict[str, Any] = {
    "height": 16,
    "width": 16,
    "channels": 3,
    "fit": "pad",
    "region": {"left": 0, "top": 0, "right": 1, "bottom": 1},
    "on_bad_picture": "stop",
    "max_bad_share": 0.2,
    "seed": 0,
    "samples": "train",
    "split": {"train": 0.6, "validation": 0.2, "test": 0.2, "keep_together": "duplicates"},
}


def noise(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    """Make a picture unlike any other: blobs of chance."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def make_folder(root: Path, classes: dict[str, int], start: int = 0, size: tuple[int, int] = (40, 30)) -> Path:
    """Make a folder with so many pictures of each class."""
    seed = start
    for name, count in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            noise(seed, size).save(root / name / f"{number:03}.png")
            seed += 1
    return root


def make_table(root: Path, rows: list[str], name: str = "labels.csv", header: str = "file,target") -> Path:
    """Make a table in a folder, beside pictures or none."""
    root.mkdir(exist_ok=True)
    (root / name).write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return root / name


def folder_settings(raw: Path, **changes: Any) -> FolderDataset:
    """Make the settings of a dataset in folders."""
    values = {**COMMON, "source": "folder", "task": "classification", "unit": None, "raw": str(raw)}
    return FolderDataset.model_validate({**values, **changes})


def table_settings(raw: Path, table: str, task: str, **changes: Any) -> TableDataset:
    """Make the settings of a dataset with a table."""
    columns = {"picture": "file", "target": "target", "split": None, "group": None}
    values = {**COMMON, "source": "table", "task": task, "raw": str(raw), "table": table, "columns": columns}
    return TableDataset.model_validate({**values, "unit": "g" if task == "regression" else None, **changes})
