"""Preparing a person's own pictures: decode them all, check them all, write one array."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.lib import format as npy
from pydantic import BeforeValidator, Field, model_validator

from image_recipes.datasets import DatasetInfo, save_targets
from image_recipes.decoders import Report, decode_all
from image_recipes.decoding import Region, Shape, Side
from image_recipes.duplicates import find_near_duplicates, link, pairs_of_equal
from image_recipes.errors import UserError
from image_recipes.params import Section, Seed, SplitName, Text
from image_recipes.problems import Problem, print_problems, refuse, save_problems

# of a class: with fewer, its splits are left to luck
FEW_PICTURES = 10
PICTURES = "pictures.csv"
# other pictures that a problem names
NAMED = 3


def _as_share(value: Any) -> Any:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value != "given" and not (is_number and (0 < value < 1 or (isinstance(value, int) and value >= 1))):
        raise ValueError("give a share between 0 and 1, a number of pictures, or `given` for what the source says")
    return value


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

    task: Literal["classification", "regression"]
    raw: Text
    # of the number, for regression
    unit: Text | None
    height: Side
    width: Side
    channels: Literal[1, 3]
    fit: Literal["pad", "crop", "stretch"]
    region: Region
    on_bad_picture: Literal["stop", "skip"]
    # of all pictures: if more are bad, the run stops all the same
    max_bad_share: Annotated[float, Field(ge=0, le=1)]
    seed: Seed
    samples: SplitName
    split: OwnSplit

    @property
    def shape(self) -> Shape:
        """What the pictures are made into."""
        return Shape(self.height, self.width, self.channels, self.fit, self.region)


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


def prepare_pictures(listing: Listing, settings: OwnPictures, folder: Path) -> str | None:
    """Decode and check pictures, and write them as a prepared dataset.

    Beside images.npy, targets.npy and dataset.json are written pictures.csv (a row for each
    picture: path, sha256 of its file, split, group, duplicates, width, height) and
    problems.csv. If problems stop the run, problems.csv alone is written.

    Args:
        listing: what to prepare.
        settings: the dataset's.
        folder: to write into.

    Returns:
        What stops the run; None if nothing does.

    Raises:
        UserError: there is nothing to learn from, whatever is skipped.
    """
    folder.mkdir()
    file = folder / "images.npy"
    reports = list(_decode_into(file, Path(settings.raw), list(listing.pictures["path"]), settings.shape))
    pictures = listing.pictures.join(pd.DataFrame(reports, columns=Report._fields, index=listing.pictures.index))
    good = pictures["error"] == ""
    problems = list(listing.problems)
    bad = pictures[~good]
    problems += [Problem(path, "bad picture", why) for path, why in zip(bad["path"], bad["error"], strict=True)]
    pictures = pictures[good].reset_index(drop=True)
    contradictions = list(_find_contradictions(pictures))
    kept = ~pictures["path"].isin([problem.path for problem in contradictions])
    if not kept.all():
        _keep_images(file, kept.to_numpy())
    pictures = pictures[kept].reset_index(drop=True)
    problems += contradictions

    images = np.load(file, mmap_mode="r")
    pictures["duplicates"], duplicates = _find_duplicates(pictures, images)
    problems += duplicates
    targets, classes = TARGETS[settings.task](pictures["label"])
    problems += _find_rare(pictures["label"], classes)
    count = len(listing.pictures) + len(listing.problems)
    print_problems(problems, count, settings.raw)
    allowed = settings.max_bad_share if settings.on_bad_picture == "skip" else None
    complaint = refuse(problems, count, settings.raw, allowed)
    if complaint:
        file.unlink()
    else:
        _check_targets(targets, classes, settings.raw)
        info = DatasetInfo(
            task=settings.task,
            classes=classes,
            unit=settings.unit,
            image_shape=list(images.shape[1:]),
            parts={"all": len(pictures)},
            origin=listing.origin,
            fit=settings.fit,
            region=settings.region.box,
        )
        save_targets(targets, info, folder)
        columns = ["path", "sha256", "split", "group", "duplicates", "width", "height"]
        pictures[columns].to_csv(folder / PICTURES, index=False)
    save_problems(problems, folder)
    return complaint


def load_pictures(folder: Path) -> pd.DataFrame:
    """Load what is known of each prepared picture, as texts.

    Args:
        folder: holds the prepared dataset.
    """
    return pd.read_csv(folder / PICTURES, dtype=str, keep_default_na=False)


def load_sizes(folder: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Load the widths and heights that prepared pictures had, in pixels, (N,) each; None if all were made alike."""
    if not (folder / PICTURES).exists():
        return None
    pictures = load_pictures(folder)
    return pictures["width"].to_numpy(int), pictures["height"].to_numpy(int)


def _decode_into(file: Path, raw: Path, names: list[str], shape: Shape) -> Iterator[Report]:
    """Decode pictures, write the good ones in order as one array, and yield a report on each."""
    picture_shape = (shape.height, shape.width, shape.channels)
    count = 0
    try:
        with file.open("wb") as stream:
            _write_header(stream, 0, picture_shape)
            for report, picture in decode_all([raw / name for name in names], shape, str(raw)):
                if picture is not None:
                    stream.write(picture.tobytes())
                    count += 1
                yield report
            stream.seek(0)
            _write_header(stream, count, picture_shape)
    except OSError as error:
        # a full disk does not say where
        raise OSError(error.errno, error.strerror, str(file)) from None


def _write_header(stream: BinaryIO, count: int, picture_shape: tuple[int, ...]) -> None:
    # numpy leaves room for a larger first number, so the header is as long for any count
    npy.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": (count, *picture_shape)})


def _keep_images(file: Path, kept: np.ndarray) -> None:
    images = np.load(file, mmap_mode="r")
    with (partial := file.with_suffix(".kept")).open("wb") as stream:
        _write_header(stream, int(kept.sum()), images.shape[1:])
        for number in np.flatnonzero(kept):
            stream.write(images[number].tobytes())
    partial.replace(file)


def _find_contradictions(pictures: pd.DataFrame) -> Iterator[Problem]:
    for _, same in pictures[pictures.duplicated("sha256", keep=False)].groupby("sha256", sort=False):
        if same["label"].nunique() > 1:
            some = same.iloc[: NAMED + 1]
            named = [f"{path} ({label})" for path, label in zip(some["path"], some["label"], strict=True)]
            for path, label in zip(same["path"], same["label"], strict=True):
                others = [name for name in named if name != f"{path} ({label})"][:NAMED]
                more = f" and {len(same) - 1 - len(others):,} more" if len(same) - 1 > len(others) else ""
                detail = f"labelled {label}, and the same picture as {', '.join(others)}{more}"
                yield Problem(path, "two labels", detail)


def _find_duplicates(pictures: pd.DataFrame, images: np.ndarray) -> tuple[np.ndarray, list[Problem]]:
    """Number the groups of pictures that are the same or nearly so, as texts, and name all but the first of each."""
    fingerprints = pictures["fingerprint"].to_numpy(np.uint64)
    same = pairs_of_equal(pictures["sha256"].to_numpy(str))
    roots = link(len(pictures), itertools.chain(same, find_near_duplicates(images, fingerprints)))
    alone = np.bincount(roots, minlength=len(roots))[roots] == 1
    problems = []
    paths, labels, shas = (pictures[column].to_numpy() for column in ("path", "label", "sha256"))
    for number in np.flatnonzero(~alone & (roots != np.arange(len(roots)))):
        first = roots[number]
        kind = "same picture" if shas[number] == shas[first] else "nearly the same picture"
        other = "" if labels[number] == labels[first] else f", but labelled {labels[number]}, not {labels[first]}"
        problems.append(Problem(str(paths[number]), kind, f"as {paths[first]}{other}"))
    return np.where(alone, "", roots.astype(str)), problems


def _find_rare(labels: pd.Series, classes: list[str] | None) -> Iterator[Problem]:
    for name in classes or []:
        if (count := int((labels == name).sum())) < FEW_PICTURES:
            yield Problem(name, "few pictures", f"{count} of this class")


def _check_targets(targets: np.ndarray, classes: list[str] | None, raw: str) -> None:
    if not len(targets):
        raise UserError(f"{raw}: no picture is left to learn from")
    if targets.min() == targets.max():
        what = "number" if classes is None else f"class, {classes[0]},"
        raise UserError(f"{raw}: one {what} only: there is nothing to learn: give pictures of two or more")


def _class_targets(labels: pd.Series) -> tuple[np.ndarray, list[str] | None]:
    classes = sorted(labels.unique())
    return np.searchsorted(classes, labels).astype(np.int64) if classes else np.empty(0, np.int64), classes


TARGETS: dict[str, Callable[[pd.Series], tuple[np.ndarray, list[str] | None]]] = {
    "classification": _class_targets,
    "regression": lambda labels: (labels.to_numpy(np.float32), None),
}
