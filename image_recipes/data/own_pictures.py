"""A person's own pictures: what their settings are, and how a source lists them."""

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from image_recipes.core.dataset import PICTURES_FILE, SideLength, load_info, load_picture_table
from image_recipes.core.loading import Kind, by_stage, check_positions, loading
from image_recipes.core.params import SPLIT_NAMES, Section, Seed, SplitName, Text
from image_recipes.core.tasks import TASKS
from image_recipes.data.decode import Region, Shape
from image_recipes.data.pixel_range import FULL, check_pixel_range
from image_recipes.data.problems import Problem


def _as_share(value: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value != "given" and not (is_number and (0 < value < 1 or (isinstance(value, int) and value >= 1))):
        raise ValueError("give a share between 0 and 1, a number of pictures, or `given` for what the source says")
    return value


def _check_task(name: str) -> str:
    if name not in TASKS:
        raise ValueError(f"give {' or '.join(map(repr, TASKS))}, not {name!r}")
    return name


class OwnSplit(Section):
    """How many pictures each split gets: shares of all, or numbers, or those that the source gives."""

    train: Annotated[int | float | str, BeforeValidator(_as_share)]
    validation: Annotated[int | float | str, BeforeValidator(_as_share)]
    test: Annotated[int | float | str, BeforeValidator(_as_share)]
    keep_together: Literal["nothing", "duplicates"]

    @model_validator(mode="after")
    def _is_no_more_than_all(self) -> "OwnSplit":
        shares = [value for value in (self.train, self.validation, self.test) if isinstance(value, float)]
        if sum(shares) > 1 + 1e-9:
            raise ValueError(f"the shares add up to {sum(shares):g}: lower them to no more than 1")
        return self


class OwnPictures(Section):
    """What every dataset of a person's own pictures has."""

    task: Annotated[str, AfterValidator(_check_task)]
    raw: Text
    # of the number, for regression
    unit: Text | None
    height: SideLength
    width: SideLength
    channels: Literal[1, 3]
    fit: Literal["pad", "crop", "stretch"]
    region: Region
    # of files with more than 8 bits a channel: what becomes black and white
    pixel_range: Annotated[Any, AfterValidator(check_pixel_range)] = FULL
    on_bad_picture: Literal["stop", "skip"]
    # of all pictures: if more are bad, the run stops all the same
    max_bad_share: Annotated[float, Field(ge=0, le=1)]
    seed: Seed
    samples: SplitName
    split: OwnSplit
    # a class that is to be counted as another, such as cat: Cat
    rename_classes: dict[str, str] | None = None

    @property
    def shape(self) -> Shape:
        """What the pictures are made into, but for the ranges that pixel_range stands for."""
        return Shape(self.height, self.width, self.channels, self.fit, self.region)

    def rename(self, listing: "Listing") -> "Listing":
        """Give classes the names by which they are to be learned."""
        if not self.rename_classes:
            return listing
        labels = listing.pictures["label"].replace(self.rename_classes)
        return listing._replace(pictures=listing.pictures.assign(label=labels))


class Listing(NamedTuple):
    """The pictures that a source names.

    Attributes:
        pictures: sorted by path; columns path (relative to the dataset's folder), label (the
            class's name, or the number), split (a SplitName, or empty) and group (text, or
            empty).
        problems: of what the source names besides.
        origin: where the pictures come from, in words.
    """

    pictures: pd.DataFrame
    problems: list[Problem]
    origin: str


def load_pictures(folder: Path) -> pd.DataFrame:
    """Load what is known of each prepared picture: texts, but for its width and height.

    Args:
        folder: holds the prepared dataset.

    Raises:
        UserError: it is missing or damaged.
    """
    texts: dict[str, Kind] = dict.fromkeys(("path", "sha256", "split", "group", "same", "alike", "duplicates"), "text")
    pictures = load_picture_table(folder, {**texts, "width": "count", "height": "count"})
    with loading(folder / PICTURES_FILE, by_stage(f"prepare@{folder.name}")):
        count = load_info(folder).pictures
        if len(pictures) != count:
            raise ValueError(f"{len(pictures):,} rows for {count:,} pictures")
        if not pictures["split"].isin(["", *SPLIT_NAMES]).all():
            raise ValueError("it names a split that there is not")
        for column in ("same", "alike", "duplicates"):
            others = " ".join(pictures[column]).split()
            check_positions(np.unique(np.array(others, np.int64)), count)
    return pictures


def load_sizes(folder: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Load the widths and heights that prepared pictures had, in pixels, (N,) each; None if all were made alike."""
    if not (folder / PICTURES_FILE).exists():
        return None
    pictures = load_pictures(folder)
    return pictures["width"].to_numpy(), pictures["height"].to_numpy()
