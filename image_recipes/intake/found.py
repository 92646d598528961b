"""What a stranger's folder, table or archive is understood as: pictures, labels, and how to read them again."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from image_recipes.core.tasks import Task
from image_recipes.data.folder import FolderLayout
from image_recipes.data.own_pictures import Listing
from image_recipes.data.table import Columns


class TableCopy(NamedTuple):
    """The table that goes to data/raw, and how it is read there.

    Attributes:
        name: of its file.
        file: that was found.
        text: what it is to hold, if not what the file holds.
        columns: what they are.
        missing: texts that say that there is no label.
    """

    name: str
    file: Path
    text: str | None
    columns: Columns
    missing: list[str]


class Found(NamedTuple):
    """What there is to add.

    Attributes:
        listing: the pictures, by the paths that they get below data/raw/<name>.
        sources: where each lies now, by the same paths.
        task: what is to be predicted.
        unit: of the number; None for none, or for classes.
        layout: how the folder is read, where there is no table.
        table: the table, where there is one.
        renamed: classes that are counted as others.
        lines: what was understood.
    """

    listing: Listing
    sources: Mapping[str, Path]
    task: Task
    unit: str | None
    layout: FolderLayout | None
    table: TableCopy | None
    renamed: Mapping[str, str]
    lines: list[str]

    @property
    def pictures(self) -> pd.DataFrame:
        """The pictures, with the classes' new names."""
        labels = self.listing.pictures["label"].replace(dict(self.renamed))
        return self.listing.pictures.assign(label=labels) if self.renamed else self.listing.pictures
