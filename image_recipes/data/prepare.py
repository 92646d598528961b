"""Preparing a dataset: one array of pictures, checked, whatever source they come from."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pandas as pd
from numpy.lib import format as npy

from image_recipes.core.dataset import PICTURES_FILE, DatasetInfo, save_prepared, save_targets
from image_recipes.core.errors import UserError, show_path
from image_recipes.core.files import choose_quoting
from image_recipes.core.params import SPLIT_NAMES
from image_recipes.core.tasks import TASKS
from image_recipes.data.cells import content_boxes
from image_recipes.data.decode import Shape
from image_recipes.data.decode_pool import Decoding, DecodingReport
from image_recipes.data.decoded import decode_rest, forget_decoded, keep_decoded
from image_recipes.data.duplicates import Looks, NearDuplicates, find_near_duplicates
from image_recipes.data.groups import group_pairs
from image_recipes.data.labels import LABELS
from image_recipes.data.own_pictures import Listing, OwnPictures
from image_recipes.data.pixel_range import choose_ranges, find_narrow
from image_recipes.data.problems import FEW_PICTURES, Problem, print_problems, refuse, save_problems
from image_recipes.data.sources import SOURCES, Arrays, Dataset

# a group of near-duplicates is large that holds more of a class
LARGE_SHARE = 0.2
# equal pictures with other labels that a problem names
EQUALS_NAMED = 3


def prepare_dataset(settings: Dataset, folder: Path, decoded: Path | None = None) -> str | None:
    """Write a prepared dataset: images.npy, targets.npy and dataset.json.

    Args:
        settings: the dataset's.
        folder: to make, and to write into.
        decoded: where to keep what was decoded, if problems stop the run; None to keep nothing.

    Returns:
        What stops the run, if the pictures are files of which some cannot be used; else None.

    Raises:
        UserError: there is nothing to learn from.
    """
    content = SOURCES[settings.source].load(settings)
    if isinstance(settings, OwnPictures):
        return prepare_pictures(cast(Listing, content), settings, folder, decoded)
    save_prepared(*cast(Arrays, content), folder)
    return None


def prepare_pictures(listing: Listing, settings: OwnPictures, folder: Path, decoded: Path | None = None) -> str | None:
    """Decode and check pictures, and write them as a prepared dataset.

    Beside images.npy, targets.npy and dataset.json are written pictures.csv (a row for each
    picture: path, sha256 of its file, split, group, same, alike, duplicates, width, height)
    and problems.csv. Of these columns, same, alike and duplicates hold numbers of rows from 0: of the first
    picture that has the same pixels; of earlier near-duplicates; of the picture that its group of
    near-duplicates is called by; or nothing. If problems stop the run, problems.csv alone is written.

    Args:
        listing: what to prepare.
        settings: the dataset's.
        folder: to write into.
        decoded: where to keep what was decoded, if problems stop the run, for the next try; None to keep nothing.

    Returns:
        What stops the run; None if nothing does.

    Raises:
        UserError: there is nothing to learn from, whatever is skipped.
    """
    folder.mkdir()
    file = folder / "images.npy"
    named, problems = _without_bad_names(listing.pictures)
    problems += listing.problems
    ranges = choose_ranges(settings.pixel_range, Path(settings.raw), named)
    shape = settings.shape._replace(ranges=ranges)
    raw = Path(settings.raw)
    reports = list(_write_decoded(decode_rest(raw, list(named["path"]), shape, decoded), file, shape))
    pictures = named.join(pd.DataFrame(reports, columns=DecodingReport._fields, index=named.index))
    good = pictures["error"] == ""
    bad = pictures[~good]
    problems += [Problem(path, "bad picture", why) for path, why in zip(bad["path"], bad["error"], strict=True)]
    pictures = pictures[good].reset_index(drop=True)
    contradictions = list(_find_contradictions(pictures))
    kept = ~pictures["path"].isin([problem.path for problem in contradictions])
    if not kept.all():
        _keep_images(file, kept.to_numpy())
    pictures = pictures[kept].reset_index(drop=True)
    problems += contradictions
    flawed = pictures[pictures["flaw"] != ""]
    problems += [Problem(path, "flawed file", flaw) for path, flaw in zip(flawed["path"], flawed["flaw"], strict=True)]
    problems += find_narrow(pictures, ranges)

    images = np.load(file, mmap_mode="r")
    task = TASKS[settings.task]
    targets, classes = LABELS[task].to_targets(pictures["label"])
    pictures, duplicates = _find_duplicates(pictures, images, settings.shape, LABELS[task].to_strata(targets))
    problems += duplicates
    problems += _find_large(pictures, classes)
    problems += _find_rare(pictures["label"], classes)
    count = len(listing.pictures) + len(listing.problems)
    print_problems(problems, count, settings.raw)
    allowed = settings.max_bad_share if settings.on_bad_picture == "skip" else None
    complaint = refuse(problems, count, settings.raw, allowed)
    if complaint:
        if decoded:
            keep_decoded(pictures, file, raw, shape, decoded)
        file.unlink(missing_ok=True)
    else:
        _check_targets(targets, pictures["label"], settings.raw)
        info = DatasetInfo(
            task=task,
            classes=classes,
            unit=settings.unit,
            image_shape=list(images.shape[1:]),
            parts={"all": len(pictures)},
            origin=listing.origin,
            fit=settings.fit,
            region=settings.region.box,
            pixel_range=None if ranges is None else {kind: list(ends) for kind, ends in ranges.items()},
        )
        save_targets(targets, info, folder)
        columns = ["path", "sha256", "split", "group", "same", "alike", "duplicates", "width", "height"]
        known = pictures[columns]
        known.to_csv(folder / PICTURES_FILE, index=False, quoting=choose_quoting(known))
        if decoded:
            forget_decoded(decoded)
    save_problems(problems, folder)
    return complaint


def _without_bad_names(pictures: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """Leave out names that no table can hold, and name them as far as they can be shown."""
    shown = pictures["path"].map(show_path)
    bad = shown != pictures["path"]
    problems = [Problem(path, "bad path", "its name is not UTF-8: rename it") for path in shown[bad]]
    return pictures[~bad].reset_index(drop=True), problems


def _write_decoded(pictures: Iterator[Decoding], file: Path, shape: Shape) -> Iterator[DecodingReport]:
    """Write the good ones of decoded pictures in order as one array, and yield a report on each."""
    picture_shape = (shape.height, shape.width, shape.channels)
    count = 0
    try:
        with file.open("wb") as stream:
            _write_header(stream, 0, picture_shape)
            for report, picture in pictures:
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
            some = same.iloc[: EQUALS_NAMED + 1]
            named = [f"{path} ({label})" for path, label in zip(some["path"], some["label"], strict=True)]
            for path, label in zip(same["path"], same["label"], strict=True):
                others = [name for name in named if name != f"{path} ({label})"][:EQUALS_NAMED]
                more = f" and {len(same) - 1 - len(others):,} more" if len(same) - 1 > len(others) else ""
                detail = f"labelled {label}, and the same picture as {', '.join(others)}{more}"
                yield Problem(path, "two labels", detail)


def _find_duplicates(
    pictures: pd.DataFrame, images: np.ndarray, shape: Shape, strata: np.ndarray
) -> tuple[pd.DataFrame, list[Problem]]:
    """Add the columns same, alike and duplicates, and name each picture that is like an earlier one."""
    boxes = content_boxes(pictures["width"].to_numpy(), pictures["height"].to_numpy(), shape)
    looks = Looks(images, boxes)
    found = find_near_duplicates(looks)
    numbers = np.arange(len(pictures))
    again = np.flatnonzero(found.same != numbers)
    pairs = np.concatenate([np.stack([found.same[again], again], axis=1), found.pairs])
    closeness = np.concatenate([np.ones(len(again)), found.closeness])
    roots = group_pairs(pairs, closeness, strata, looks.closeness)
    alone = np.bincount(roots, minlength=len(roots))[roots] == 1
    alike: dict[int, list[int]] = {}
    for first, second in found.pairs.tolist():
        alike.setdefault(second, []).append(first)
    added = pictures.assign(
        same=np.where(found.same == numbers, "", found.same.astype(str)),
        alike=[" ".join(map(str, alike.get(number, []))) for number in range(len(pictures))],
        duplicates=np.where(alone, "", roots.astype(str)),
    )
    return added, list(_name_duplicates(pictures, found))


def _name_duplicates(pictures: pd.DataFrame, found: NearDuplicates) -> Iterator[Problem]:
    match = dict(zip(found.pairs[:, 1].tolist(), found.pairs[:, 0].tolist(), strict=True))
    closest: dict[int, float] = {}
    for (first, second), closeness in zip(found.pairs.tolist(), found.closeness, strict=True):
        if closeness > closest.get(second, 0):
            match[second], closest[second] = first, closeness
    match |= {number: int(first) for number, first in enumerate(found.same) if first != number}
    paths, labels, shas = (pictures[column].to_numpy() for column in ("path", "label", "sha256"))
    for number in sorted(match):
        first = match[number]
        kind, relation = ("same picture", "as") if shas[number] == shas[first] else ("near-duplicate", "of")
        other = "" if labels[number] == labels[first] else f", but labelled {labels[number]}, not {labels[first]}"
        yield Problem(str(paths[number]), kind, f"{relation} {paths[first]}{other}")


def _find_large(pictures: pd.DataFrame, classes: list[str] | None) -> Iterator[Problem]:
    """Name groups of near-duplicates that leave a split little choice."""
    strata = list(pictures["label"]) if classes else ["all pictures"] * len(pictures)
    sizes = Counter(strata)
    grouped = Counter(pair for pair in zip(strata, pictures["duplicates"], strict=True) if pair[1])
    for (label, root), count in grouped.items():
        if count >= FEW_PICTURES and count > LARGE_SHARE * sizes[label]:
            path = pictures["path"][int(root)]
            detail = f"{count:,} of {sizes[label]:,} are near-duplicates of {path}: "
            yield Problem(label, "large group", f"{detail}keep_together: duplicates puts all of them into one split")


def _find_rare(labels: pd.Series, classes: list[str] | None) -> Iterator[Problem]:
    for name in classes or []:
        if (count := int((labels == name).sum())) < FEW_PICTURES:
            lacking = "; training comes first, so some split has none" if count < len(SPLIT_NAMES) else ""
            yield Problem(name, "few pictures", f"{count} of this class{lacking}")


def _check_targets(targets: np.ndarray, labels: pd.Series, raw: str) -> None:
    if not len(targets):
        raise UserError(f"{raw}: no picture is left to learn from")
    if targets.min() == targets.max():
        raise UserError(
            f"{raw}: all {len(labels):,} pictures have the label {labels.iloc[0]}: there is nothing to learn: "
            "give pictures of two labels or more"
        )
