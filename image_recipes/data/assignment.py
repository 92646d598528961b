"""Assigning a person's own pictures to training, validation and test: fair to classes, and stable.

Which picture went where is kept in a file, so that pictures which come later leave the
earlier ones where they are: a test picture never becomes a training picture.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.core.errors import UserError, escape
from image_recipes.core.params import SPLIT_NAMES
from image_recipes.data.assignment_file import UNUSED, find_before, load_assignment, save_assignment
from image_recipes.data.groups import link_pairs, pairs_of_equal, split_by
from image_recipes.data.leaks import GROUP, NEAR, Relation, find_leaks, find_left_out
from image_recipes.data.own_pictures import OwnPictures, OwnSplit, load_pictures

RELATIONS_PRINTED = 5


def assign_pictures(folder: Path, settings: OwnPictures, strata: np.ndarray, file: Path) -> dict[str, np.ndarray]:
    """Divide prepared pictures, by what the file says of a division before; print sizes, what is left out, and leaks.

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
    given = find_given(pictures, settings.split)
    left_out = find_left_out(pictures, given, settings.split.keep_together == "duplicates")
    fixed = pictures.assign(given=given, before=find_before(pictures, before), left_out=False)
    fixed.loc[list(left_out), "left_out"] = True
    assigned = assign_splits(fixed, strata, settings.split, settings.seed)
    leaks = find_leaks(pictures, assigned)
    paths = pictures["path"].tolist()
    leak = [paths[leaks[row].other] if row in leaks else "" for row in range(len(pictures))]
    save_assignment(pictures.assign(assigned=assigned, leak=leak), before, made_by, file)

    sizes = {name: int(np.sum(assigned == name)) for name in (*SPLIT_NAMES, UNUSED)}
    print(f"{settings.raw}: " + ", ".join(f"{name or 'unused'} {size:,}" for name, size in sizes.items() if size))
    _print_relations("unused", paths, left_out, given)
    if left_out:
        print(f"{len(left_out):,} pictures are left unused, so that given pictures share nothing with other splits")
    _print_relations("leak", paths, leaks, assigned)
    if leaks:
        print(
            f"{len(leaks):,} leaks, all in {file}: they make a model look better than it is{_remedy(settings, leaks)}"
        )
    order = np.array(
        sorted(range(len(pictures)), key=[_rank(settings.seed, sha) for sha in pictures["sha256"]].__getitem__)
    )
    return {name: order[assigned[order] == name] for name in SPLIT_NAMES}


def _print_relations(title: str, paths: list[str], found: Mapping[int, Relation], splits: np.ndarray) -> None:
    for row in list(found)[:RELATIONS_PRINTED]:
        other, words = found[row]
        own = f" ({splits[row]})" if splits[row] != UNUSED else ""
        print(escape(f"{title}: {paths[row]}{own} is {words} {paths[other]} ({splits[other]})"))


def _remedy(settings: OwnPictures, leaks: Mapping[int, Relation]) -> str:
    kinds = {relation.words for relation in leaks.values()}
    if NEAR in kinds and settings.split.keep_together == "nothing":
        return ": keep_together: duplicates avoids near-duplicates"
    if GROUP in kinds:
        return ": give no splits, and groups stay together"
    return ""


def find_given(pictures: pd.DataFrame, split: OwnSplit) -> np.ndarray:
    """Return the split that each picture is given for, (N,), or empty."""
    return np.array(
        [name if name and getattr(split, name) == "given" else UNUSED for name in pictures["split"]], object
    )


def assign_splits(pictures: pd.DataFrame, strata: np.ndarray, split: OwnSplit, seed: int) -> np.ndarray:
    """Assign each picture to a split.

    Given pictures stay as given. The others of one group, of one file's content, or (if wanted)
    near-duplicates stay together. Each class is divided in the same proportions, as far as that
    allows; but none is without a training picture that training could have.

    Args:
        pictures: columns sha256, group and duplicates as in pictures.csv; given and before (the split that
            each is given for, and had before, or empty); left_out (bool, whether no split may take it).
        strata: int64 (N,), the class of each, or all the same.
        split: shares or numbers; a share is one of the pictures whose split is not given.
        seed: of the division.

    Returns:
        Names of splits, (N,); empty for pictures that none takes.

    Raises:
        UserError: fewer pictures than wanted, or a split would be empty.
    """
    wanted = {name: getattr(split, name) for name in SPLIT_NAMES}
    given, before, left_out = (pictures[column].to_numpy() for column in ("given", "before", "left_out"))
    assigned = np.where(left_out, UNUSED, given)
    free = (given == UNUSED) & ~left_out
    quotas = _quotas(strata[free], _shares(wanted, int(free.sum())), set(strata[assigned == "train"].tolist()))
    shas = pictures["sha256"].to_numpy()
    units = [unit[free[unit]] for unit in _units(pictures, split.keep_together == "duplicates")]
    units = [unit for unit in units if len(unit)]

    def put(unit: np.ndarray, name: str) -> None:
        for number in unit:
            assigned[number] = name
            if name in quotas:
                quotas[name][int(strata[number])] -= 1

    unknown = []
    for unit in units:
        known = {*before[unit]} - {UNUSED}
        # of pictures that were apart before, the one furthest from training decides
        place = next((name for name in reversed(SPLIT_NAMES) if name in known and name in quotas), None)
        if place is None:
            unknown.append(unit)
        else:
            put(unit, place)
    unknown.sort(key=lambda unit: (-len(unit), _rank(seed, min(shas[unit]))))
    learned = {*strata[assigned == "train"].tolist()} if "train" in quotas else {*strata.tolist()}
    waiting = Counter(strata[np.concatenate([np.empty(0, int), *unknown])].tolist())
    for unit in unknown:
        counts = Counter(strata[unit].tolist())
        waiting -= counts
        # the last ones of a class that training does not have yet
        needed = any(number not in learned and not waiting[number] for number in counts)
        name = "train" if needed else max(quotas, key=lambda name: _room(quotas[name], counts))
        put(unit, name)
        learned |= {*counts} if name == "train" else set()
    for name in SPLIT_NAMES:
        if name not in assigned:
            raise UserError(f"split.{name}: no picture is left for it: {_why_empty(name, pictures, strata, split)}")
    return assigned


def _room(quotas: Mapping[int, int], counts: Mapping[int, int]) -> tuple[bool, int, int]:
    left = {number: quotas.get(number, 0) for number in counts}
    fitting = sum(min(count, left[number]) for number, count in counts.items())
    return sum(quotas.values()) > 0, fitting, sum(left.values())


def _why_empty(name: str, pictures: pd.DataFrame, strata: np.ndarray, split: OwnSplit) -> str:
    free = ((pictures["given"] == UNUSED) & ~pictures["left_out"]).to_numpy()
    count = int(free.sum())
    if getattr(split, name) == "given" and not (pictures["given"] == name).any():
        return "it is given, but the source names none: name some, or set a share such as 0.15"
    if pictures["left_out"].sum() > count:
        return (
            f"{pictures['left_out'].sum():,} pictures have to do with given ones of other splits, and are left "
            "unused: set keep_together: nothing, or give no group"
        )
    sizes = {
        "of the same file": max(map(len, _units(pictures.assign(group=""), False))),
        "of the same group": max(map(len, _units(pictures, False))),
        "near-duplicates": max(map(len, _units(pictures, split.keep_together == "duplicates"))),
    }
    cause = max(sizes, key=lambda key: sizes[key])
    if sizes[cause] > 1 and sizes[cause] > count / 2:
        remedy = {"near-duplicates": "set keep_together: nothing", "of the same group": "give no group"}
        return (
            f"{sizes[cause]:,} of {count:,} pictures are {cause} and stay together: {remedy.get(cause, 'add others')}"
        )
    classes = len(set(strata[free].tolist()))
    if count < len(SPLIT_NAMES) * classes:
        return f"there are {count:,} pictures of {classes:,} classes, and training keeps one of each: add pictures"
    return f"of {count:,} pictures its share is too small for one: give it a larger share, or add pictures"


def _units(pictures: pd.DataFrame, duplicates: bool) -> list[np.ndarray]:
    columns = ["sha256", "group", *(["duplicates"] if duplicates else [])]
    pairs = [pair for column in columns for pair in pairs_of_equal(pictures[column].to_numpy(str))]
    roots = link_pairs(len(pictures), pairs)
    return split_by(roots)


def _shares(wanted: Mapping[str, float | int | str], count: int) -> dict[str, float]:
    asked = {name: value for name, value in wanted.items() if not isinstance(value, str)}
    shares = {name: value if isinstance(value, float) else value / max(1, count) for name, value in asked.items()}
    if sum(shares.values()) > 1 + 1e-9:
        numbers = ", ".join(f"{name} {value:g}" for name, value in asked.items())
        raise UserError(f"split: {numbers} is more than the {count:,} pictures there are: lower them, or add pictures")
    rest = 1 - sum(shares.values())
    return {**shares, UNUSED: rest} if rest > 1e-9 else shares


def _quotas(strata: np.ndarray, shares: Mapping[str, float], learned: set[int]) -> dict[str, dict[int, int]]:
    """Return how many pictures of each class each split gets, at least one for training if it has none yet.

    Each class is rounded down, and what is left of it goes to the splits that are furthest
    behind over the classes so far, so that the sums over the classes are right too.
    """
    quotas: dict[str, dict[int, int]] = {name: {} for name in shares}
    behind = dict.fromkeys(shares, 0.0)
    # rare classes first, so that the others make up for what training gets of them
    counts = sorted(Counter(strata.tolist()).items(), key=lambda item: (item[1] * shares.get("train", 1) >= 1, item[0]))
    for stratum, count in counts:
        left = count
        for name, share in shares.items():
            quotas[name][stratum] = int(count * share + 1e-9)
            behind[name] += count * share - quotas[name][stratum]
            left -= quotas[name][stratum]
        first = "train" if quotas.get("train", {}).get(stratum) == 0 and stratum not in learned else None
        for name in sorted(behind, key=lambda name: (name != first, -behind[name]))[:left]:
            quotas[name][stratum] += 1
            behind[name] -= 1
    return quotas


def _rank(seed: int, sha256: str) -> str:
    return hashlib.sha256(f"{seed} {sha256}".encode()).hexdigest()
