"""Assigning a person's own pictures to training, validation and test: fair to classes, and stable.

Which picture went where is kept in a file, so that pictures which come later leave the
earlier ones where they are: a test picture never becomes a training picture.
"""

import csv
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text
from image_recipes.core.params import SPLIT_NAMES
from image_recipes.data.duplicates import link_pairs, pairs_of_equal
from image_recipes.data.own_pictures import OwnPictures, OwnSplit, load_pictures

# where pictures go that no split takes
UNUSED = ""
LEAKS_PRINTED = 5


def assign_pictures(folder: Path, settings: OwnPictures, strata: np.ndarray, file: Path) -> dict[str, np.ndarray]:
    """Divide prepared pictures, by what the file says of a division before; print sizes and leaks.

    Args:
        folder: holds the prepared dataset.
        settings: the dataset's.
        strata: int64 (N,), the class of each, or all the same.
        file: which picture has which split; read, and written again.

    Returns:
        For each split, int64 indices into the prepared images, in an order of chance.

    Raises:
        UserError: as `assign_splits`.
    """
    pictures = load_pictures(folder)
    made_by = f"seed {settings.seed}, {', '.join(f'{key} {value}' for key, value in settings.split)}"
    before = load_assignment(file, made_by)
    assigned = assign_splits(pictures, strata, settings.split, settings.seed, find_before(pictures, before))
    leaks = find_leaks(pictures, assigned)
    save_assignment(pictures.assign(assigned=assigned, leak=leaks), before, made_by, file)

    sizes = {name: int(np.sum(assigned == name)) for name in (*SPLIT_NAMES, UNUSED)}
    print(f"{settings.raw}: " + ", ".join(f"{name or 'unused'} {size:,}" for name, size in sizes.items() if size))
    leaking = np.flatnonzero(leaks != "")
    for number in leaking[:LEAKS_PRINTED]:
        print(f"leak: {pictures['path'][number]} ({assigned[number]}) is a near-duplicate of {leaks[number]}")
    if len(leaking):
        print(f"{len(leaking):,} leaks, all in {file}: keep_together: duplicates avoids those within one source")
    order = np.array(
        sorted(range(len(pictures)), key=[_rank(settings.seed, sha) for sha in pictures["sha256"]].__getitem__)
    )
    return {name: order[assigned[order] == name] for name in SPLIT_NAMES}


def assign_splits(
    pictures: pd.DataFrame, strata: np.ndarray, split: OwnSplit, seed: int, before: np.ndarray
) -> np.ndarray:
    """Assign each picture to a split.

    Pictures of one group, of one file's content, or (if wanted) near-duplicates stay
    together. Each class is divided in the same proportions, as far as that allows.

    Args:
        pictures: as in pictures.csv: columns sha256, split, group, duplicates.
        strata: int64 (N,), the class of each, or all the same.
        split: shares or numbers; a share is one of the pictures whose split is not given.
        seed: of the division.
        before: (N,), the split that each had before, or empty.

    Returns:
        Names of splits, (N,); empty for pictures that none takes.

    Raises:
        UserError: fewer pictures than wanted, or a split would be empty.
    """
    wanted = {name: getattr(split, name) for name in SPLIT_NAMES}
    given = np.array([name if wanted.get(name) == "given" else UNUSED for name in pictures["split"]], object)
    free = given == UNUSED
    quotas = _quotas(strata[free], _shares(wanted, int(free.sum())))
    assigned = given.copy()
    shas = pictures["sha256"].to_numpy()
    units = _units(pictures, split.keep_together == "duplicates")

    def put(unit: np.ndarray, name: str) -> None:
        for number in unit[free[unit]]:
            assigned[number] = name
            if name in quotas:
                quotas[name][int(strata[number])] -= 1

    unknown = []
    for unit in units:
        known = {*given[unit], *before[unit]} - {UNUSED}
        # of pictures that were apart before, the one furthest from training decides
        place = next((name for name in reversed(SPLIT_NAMES) if name in known), None)
        if place is None:
            unknown.append(unit)
        else:
            put(unit, place)
    unknown.sort(key=lambda unit: (-len(unit), _rank(seed, min(shas[unit]))))
    for unit in unknown:
        classes, counts = np.unique(strata[unit], return_counts=True)

        def room(name: str, classes: np.ndarray = classes, counts: np.ndarray = counts) -> tuple[bool, int, int]:
            left = np.array([quotas[name].get(number, 0) for number in classes.tolist()])
            return sum(quotas[name].values()) > 0, int(np.minimum(counts, left).sum()), int(left.sum())

        put(unit, max(quotas, key=room))
    for name in SPLIT_NAMES:
        if name not in assigned:
            largest = max(map(len, units), default=0)
            remedy = (
                f"{largest:,} pictures are kept together: set keep_together: nothing, or give no group"
                if largest > 1 and largest > len(pictures) / 2
                else "give it a larger share, or add pictures"
            )
            raise UserError(f"split.{name}: no picture is left for it: {remedy}")
    return assigned


def _units(pictures: pd.DataFrame, duplicates: bool) -> list[np.ndarray]:
    columns = ["sha256", "group", *(["duplicates"] if duplicates else [])]
    pairs = [pair for column in columns for pair in pairs_of_equal(pictures[column].to_numpy(str))]
    roots = link_pairs(len(pictures), pairs)
    order = np.argsort(roots, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(roots[order])) + 1)


def _shares(wanted: Mapping[str, float | int | str], count: int) -> dict[str, float]:
    asked = {name: value for name, value in wanted.items() if not isinstance(value, str)}
    shares = {name: value if isinstance(value, float) else value / max(1, count) for name, value in asked.items()}
    if sum(shares.values()) > 1 + 1e-9:
        numbers = ", ".join(f"{name} {value:g}" for name, value in asked.items())
        raise UserError(f"split: {numbers} is more than the {count:,} pictures there are: lower them, or add pictures")
    rest = 1 - sum(shares.values())
    return {**shares, UNUSED: rest} if rest > 1e-9 else shares


def _quotas(strata: np.ndarray, shares: Mapping[str, float]) -> dict[str, dict[int, int]]:
    """Return how many pictures of each class each split gets.

    Each class is rounded down, and what is left of it goes to the splits that are furthest
    behind over the classes so far, so that the sums over the classes are right too.
    """
    quotas: dict[str, dict[int, int]] = {name: {} for name in shares}
    behind = dict.fromkeys(shares, 0.0)
    for stratum, count in zip(*np.unique(strata, return_counts=True), strict=True):
        left = int(count)
        for name, share in shares.items():
            quotas[name][int(stratum)] = int(count * share + 1e-9)
            behind[name] += count * share - quotas[name][int(stratum)]
            left -= quotas[name][int(stratum)]
        for name in sorted(behind, key=lambda name: -behind[name])[:left]:
            quotas[name][int(stratum)] += 1
            behind[name] -= 1
    return quotas


def _rank(seed: int, sha256: str) -> str:
    return hashlib.sha256(f"{seed} {sha256}".encode()).hexdigest()


def find_leaks(pictures: pd.DataFrame, assigned: np.ndarray) -> np.ndarray:
    """Find pictures to judge by that are near-duplicates of one that was learned from, or chosen by.

    Returns:
        (N,), for a picture of validation or test the path of one in training, or for one of
        test of one in validation; else empty.
    """
    leaks = np.full(len(pictures), "", object)
    paths, groups = pictures["path"].to_numpy(), pictures["duplicates"].to_numpy()
    for numbers in pd.Series(np.arange(len(groups)))[groups != ""].groupby(groups[groups != ""]).agg(list):
        first = {name: number for number in reversed(numbers) for name in [assigned[number]]}
        for number in numbers:
            place = SPLIT_NAMES.index(assigned[number]) if assigned[number] != UNUSED else 0
            learned = next((name for name in SPLIT_NAMES[:place] if name in first), None)
            if learned:
                leaks[number] = paths[first[learned]]
    return leaks


def find_before(pictures: pd.DataFrame, before: pd.DataFrame) -> np.ndarray:
    """Find the split that each picture had before: by its content, or else by its path.

    Args:
        pictures: columns path and sha256.
        before: as `load_assignment` returns it.

    Returns:
        Names of splits, (N,); empty for new pictures.
    """
    by_content = dict(zip(before["sha256"], before["split"], strict=True))
    by_path = dict(zip(before["path"], before["split"], strict=True))
    return np.array(
        [
            by_content.get(sha256, by_path.get(path, UNUSED))
            for path, sha256 in zip(pictures["path"], pictures["sha256"], strict=True)
        ],
        object,
    )


def load_assignment(file: Path, made_by: str) -> pd.DataFrame:
    """Load which picture had which split; none if other settings made the file, or there is none.

    Args:
        file: as `save_assignment` writes it.
        made_by: the settings.

    Returns:
        Columns path, sha256, split, leak.

    Raises:
        UserError: the file is damaged, as by a merge.
    """
    columns = ["path", "sha256", "split", "leak"]
    lines = file.read_text("utf-8").split("\n", 1) if file.exists() else [""]
    if lines[0] != f"# {made_by}":
        return pd.DataFrame(columns=columns, dtype=str)
    rows = list(csv.DictReader(io.StringIO(lines[1])))
    if any(set(row) != set(columns) or row["split"] not in SPLIT_NAMES for row in rows):
        raise UserError(f"{file}: damaged: fix it, or take the last one by `git checkout {file}`")
    return pd.DataFrame(rows, columns=columns, dtype=str)


def save_assignment(pictures: pd.DataFrame, before: pd.DataFrame, made_by: str, file: Path) -> None:
    """Write which picture has which split, in order of their paths, below a line with the settings.

    Pictures that are gone stay in it, so that they find their place if they come back.

    Args:
        pictures: columns path, sha256, assigned, leak.
        before: as `load_assignment` returns it.
        made_by: the settings.
        file: the CSV file.
    """
    now = pictures[pictures["assigned"] != UNUSED].rename(columns={"split": "given", "assigned": "split"})
    gone = before[~before["sha256"].isin(now["sha256"]) & ~before["path"].isin(now["path"])]
    table = pd.concat([now[["path", "sha256", "split", "leak"]], gone.assign(leak="")]).sort_values(["path", "sha256"])
    write_text(f"# {made_by}\n" + table.to_csv(index=False), file)
