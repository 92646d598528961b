"""A stranger's folder of pictures: which folders are splits, which are classes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.params import SPLIT_NAMES, SplitName
from image_recipes.data.folder import ClassFrom, FolderLayout
from image_recipes.data.splits import SPLIT_ALIASES
from image_recipes.intake.choice import choose
from image_recipes.intake.split_names import name_splits, split_named

# of the sub-folders of two folders, how many must be in both to say that they hold the same classes
SAME_CLASSES = 0.5


class LayoutOptions(NamedTuple):
    """What the command line says of a folder.

    Attributes:
        class_from: a ClassFrom; None to find out.
        split_folders: `FOLDER=SPLIT` each.
        no_split: no folder is a split.
    """

    class_from: str | None = None
    split_folders: Sequence[str] = ()
    no_split: bool = False


def find_root(folder: Path, files: Sequence[Path]) -> Path:
    """Look through folders that hold nothing but one other folder, in which there are folders.

    Args:
        folder: to look into.
        files: the pictures in it, relative to it.

    Returns:
        The folder that holds the classes or the splits.
    """
    root = folder
    parts = [file.parts for file in files]
    while len({part[0] for part in parts}) == 1 and any(len(part) > 2 for part in parts):
        root /= parts[0][0]
        parts = [part[1:] for part in parts]
    return root


def find_layout(root: Path, files: Sequence[Path], options: LayoutOptions) -> tuple[FolderLayout, list[str]]:
    """Find out how a folder is to be read.

    Args:
        root: as `find_root` returns it.
        files: the pictures in it, relative to it.
        options: of the command line.

    Returns:
        The layout, and what is said of it, a line each.

    Raises:
        UserError: two readings are possible, or a picture of a split has no class.
    """
    class_from = _check_class_from(options.class_from)
    counts = Counter(file.parent for file in files)
    # a file of each folder stands for all of them
    files = list({file.parent: file for file in reversed(files)}.values())[::-1]
    if options.split_folders:
        parsed = [_parse(text, root) for text in options.split_folders]
        places = dict(parsed)
        if len(places) < len(parsed) or options.no_split:
            raise UserError("--split-folder: give each folder once, and --no-split without it")
    elif options.no_split:
        places = {}
    else:
        places = _find_splits(root, files, class_from)
    lines = []
    if places:
        lines.append("splits: " + ", ".join(f"{place} is {split}" for place, split in places.items()))
        left = [file for file in files if not any(file.is_relative_to(place) for place in places)]
        if left:
            count = sum(counts[file.parent] for file in left)
            lines.append(f"{count:,} pictures outside of the splits are passed over, such as {left[0]}")
    elif class_from is None and not options.no_split:
        class_from = _find_level(root, files)
    layout = FolderLayout(places, class_from or "folder")
    if layout.class_from != "name":
        _check_classes(root, files, counts, places)
    kinds = {
        "folder": "below the split's folder" if places else "",
        "subfolder": "in which a picture lies",
        "name": "the first part of the file's name",
    }
    said = f"{'' if layout.class_from == 'name' else 'the folder '}{kinds[layout.class_from]}".strip()
    if layout.class_from != "folder" or places:
        lines.append(f"class: {said}")
    return layout, lines


def _check_class_from(text: str | None) -> ClassFrom | None:
    known: tuple[ClassFrom, ...] = get_args(ClassFrom)
    if text is not None and text not in known:
        raise UserError(f"--class-from: no such way {text!r}: {did_you_mean(text, known)}")
    return next((way for way in known if way == text), None)


def _parse(text: str, root: Path) -> tuple[str, SplitName]:
    place, _, name = text.rpartition("=")
    split = SPLIT_ALIASES.get(name.lower())
    if not place or split is None:
        raise UserError(f"--split-folder: give FOLDER=SPLIT, of {', '.join(SPLIT_NAMES)}, not {text!r}")
    if not (root / place).is_dir():
        raise UserError(f"--split-folder: no folder {place!r} in {root}")
    return Path(place).as_posix(), split


class _Top(NamedTuple):
    """A first folder: where in it the classes lie, relative to the root, which there are, and a picture of none."""

    place: str
    classes: frozenset[str]
    stray: Path | None


def _look_into(root: Path, files: Sequence[Path]) -> list[_Top]:
    by_top: dict[str, list[Path]] = {}
    for file in files:
        if len(file.parts) > 1:
            by_top.setdefault(file.parts[0], []).append(file.relative_to(file.parts[0]))
    tops = []
    for name, own in sorted(by_top.items()):
        place = find_root(Path(name), own)
        inner = [(Path(name) / file).relative_to(place) for file in own]
        classes = frozenset(file.parts[0] for file in inner if len(file.parts) > 1)
        tops.append(
            _Top(place.as_posix(), classes, next((place / file for file in inner if len(file.parts) == 1), None))
        )
    return tops


def _find_splits(root: Path, files: Sequence[Path], class_from: ClassFrom | None) -> dict[str, SplitName]:
    tops = {Path(top.place).parts[0]: top for top in _look_into(root, files)}
    if inner := _find_inner_splits(list(tops.values())):
        return inner
    named = name_splits(list(tops))
    places = {tops[name].place: split for name, split in named.items()}
    if "train" not in named.values() or len(set(named.values())) < 2:
        return {}
    if class_from == "name":
        return places if len(named) == len(tops) else {}
    others = [tops[name] for name in tops if name not in named]
    exact = all(name.lower() in SPLIT_ALIASES for name in named)
    if not any(tops[name].classes for name in named):
        if exact and not others:
            raise UserError(
                f"{root}: the pictures in {', '.join(places)} have no class: give the table that names them, or take "
                "the class from their names by --class-from name; if the folders are classes: --no-split"
            )
        return {}
    if not others and (exact or _are_alike([top.classes for top in tops.values()])):
        return places
    if not _are_alike([tops[name].classes for name in named]):
        return {}
    known = frozenset().union(*[tops[name].classes for name in named])
    with_classes = [top for top in others if top.classes & known]
    if not with_classes:
        return places
    chosen = choose(
        f"{root}: {', '.join(places)} look like splits, but {', '.join(top.place for top in with_classes)} does not",
        {
            " ".join(f"--split-folder {place}={split}" for place, split in places.items()): "pass over the rest",
            "--no-split": "each of them is a class",
        },
    )
    return {} if chosen == "--no-split" else places


def _find_inner_splits(tops: Sequence[_Top]) -> dict[str, SplitName]:
    """Find folders of splits inside of the classes, such as cat/train and cat/test."""
    inner = {f"{top.place}/{name}": split_named(name) for top in tops for name in sorted(top.classes)}
    places = {place: split for place, split in inner.items() if split}
    filled = all(top.classes and top.stray is None for top in tops)
    several = len({split for split in places.values()}) > 1 and "train" in places.values()
    return places if len(tops) > 1 and filled and several and len(places) == len(inner) else {}


def _are_alike(sets: Sequence[frozenset[str]]) -> bool:
    """Tell whether sets of sub-folders are about the same."""
    filled = [one for one in sets if one]
    union = frozenset().union(*filled)
    return len(filled) > 1 and all(len(one) >= SAME_CLASSES * len(union) for one in filled)


def _find_level(root: Path, files: Sequence[Path]) -> ClassFrom | None:
    """Find out whether the first folder is the class, where all first folders hold folders of the same names."""
    tops = _look_into(root, files)
    if len(tops) < 2 or not _are_alike([top.classes for top in tops]) or not all(top.classes for top in tops):
        return None
    shared = sorted(frozenset.intersection(*[top.classes for top in tops]))
    if len(shared) < 2:
        return None
    shown = ", ".join(shared[:3])
    chosen = choose(
        f"{root}: {', '.join(top.place for top in tops[:3])} all hold {shown}",
        {"--class-from folder": f"{tops[0].place} is a class", "--class-from subfolder": f"{shared[0]} is a class"},
    )
    return "folder" if chosen.endswith(" folder") else "subfolder"


def _check_classes(root: Path, files: Sequence[Path], counts: Counter[Path], places: Mapping[str, SplitName]) -> None:
    """Refuse pictures of no class."""
    strays = [file for file in files if len(file.parts) == 1]
    for place in places:
        # a split inside of a class has the class above it
        strays += [file for file in files if file.parent == Path(place) and split_named(Path(place).parts[0])]
    if not strays:
        return
    where = strays[0].parent
    count = sum(counts[file.parent] for file in strays)
    if where.as_posix() in places:
        others = [place for place in places if not any(file.parent == Path(place) for file in strays)]
        remedy = (
            "if they are to be predicted, give the others by "
            + " ".join(f"--split-folder {place}={places[place]}" for place in others)
            if others
            else "move them into folders of their classes"
        )
    elif len(strays) == len(files):
        remedy = "give a table that names their classes, or take the class from their names by --class-from name"
    else:
        remedy = "move it into the folder of its class, or elsewhere"
    raise UserError(f"{root / strays[0]}: has no class, as {count:,} of {counts.total():,} pictures: {remedy}")
