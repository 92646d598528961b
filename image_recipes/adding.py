"""Adding a person's own pictures: look at them, put them under data/raw, and write params.yaml."""

import filecmp
import io
import os
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from PIL import Image
from ruamel.yaml import YAML

from image_recipes.decoding import FORMATS, extensions
from image_recipes.errors import UserError, did_you_mean
from image_recipes.files import written_whole
from image_recipes.folder import list_folder
from image_recipes.params import PARAMS_FILE, RANDOM, check_network, read_params, read_yaml
from image_recipes.pictures import Listing
from image_recipes.table import MISSING, Columns, is_number, list_table, read_table, varies

RAW = Path("data/raw")
WEIGHTS = Path("data/weights")
# of the pictures looked at beforehand, spread over all
LOOKED_AT = 500
# pictures no larger than this are left as they are, larger ones made this large
SIDE = 96
# the side that networks of keras.applications take at least, in pixels, and those that take more
SMALLEST_SIDE = 32
SMALLEST_SIDES = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
# no more different numbers than that are taken for classes
CLASS_NUMBERS = 20
ARCHITECTURE = "small_cnn"
LAYERS: list[Any] = [
    {"Conv2D": {"filters": 32, "kernel_size": 3, "padding": "same", "activation": "relu"}},
    {"MaxPooling2D": {"pool_size": 2}},
    {"Conv2D": {"filters": 64, "kernel_size": 3, "padding": "same", "activation": "relu"}},
    {"MaxPooling2D": {"pool_size": 2}},
    {"Conv2D": {"filters": 128, "kernel_size": 3, "padding": "same", "activation": "relu"}},
    {"GlobalAveragePooling2D": None},
    {"Dropout": {"rate": 0.25}},
    {"Dense": {"units": 128, "activation": "relu"}},
]


class Found(NamedTuple):
    """What there is to add.

    Attributes:
        listing: the pictures, by paths below `root`.
        root: the folder that they lie in.
        table: the table that names them, if one does.
        columns: of the table.
        task: `classification` or `regression`.
    """

    listing: Listing
    root: Path
    table: Path | None
    columns: Columns | None
    task: str


def find_pictures(path: Path, target: str | None, picture: str | None, task: str | None) -> Found:
    """Find the pictures in a folder of classes, or those that a table names.

    Args:
        path: the folder or the table.
        target: the table's column of classes or numbers.
        picture: its column of paths; if None, the one in which there are files.
        task: for a table; if None, told from the target.

    Raises:
        UserError: there are none, or the table is not understood.
    """
    if not path.exists():
        raise UserError(f"{path}: not found")
    if path.is_dir():
        if target or picture or task:
            raise UserError(f"{path}: a folder has no columns: name the table, or leave the options for one out")
        return Found(list_folder(path), path, None, None, "classification")
    table = read_table(path)
    if target is None:
        raise UserError(f"{path}: --target must name the column of classes or numbers: {', '.join(table.columns)}")
    for name in (target, picture):
        if name is not None and (not name or name not in table.columns):
            raise UserError(f"{path}: no column {name!r}: {did_you_mean(name, table.columns)}")
    others = [name for name in table.columns if name not in (target, "")]
    columns = Columns(
        picture=picture or _column_of_files(table[others], path),
        target=target,
        split=_named("split", others),
        group=_named("group", others),
    )
    task = task or _tell_task(table[target])
    return Found(list_table(path, columns, task), path.parent, path, columns, task)


def _named(name: str, columns: list[str]) -> str | None:
    return next((column for column in columns if column.lower() == name), None)


def _column_of_files(table: pd.DataFrame, file: Path) -> str:
    counts = {
        # a Path's own is_file fails on a text that is too long for a name
        name: sum(os.path.isfile(file.parent / value.replace("\\", "/")) for value in table[name].head(LOOKED_AT))  # noqa: PTH113
        for name in table.columns
    }
    best = max(counts, key=lambda name: counts[name], default=None)
    if best is None or not counts[best]:
        raise UserError(f"{file}: in no column are there names of files beside it: name one by --picture")
    return best


def _tell_task(targets: pd.Series) -> str:
    known = targets[~targets.str.lower().isin(MISSING)]
    numbers = len(known) > 0 and known.map(is_number).mean() > 0.5
    return "regression" if numbers and (known.nunique() > CLASS_NUMBERS or varies(known)) else "classification"


def look_at(found: Found) -> tuple[list[str], int, int]:
    """Look at pictures without decoding them.

    Returns:
        Lines that say what was found; the side and the channels that suit the pictures.
    """
    labels = found.listing.pictures["label"]
    if not len(labels):
        first = found.listing.problems[0]
        raise UserError(f"{found.table}: no row can be used, such as {first.path} ({first.detail})")
    lines = [f"{len(labels):,} pictures in {found.root}"]
    if found.task == "classification":
        counts = Counter(labels)
        shown = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(10))
        lines.append(f"{len(counts):,} classes: {shown}{', ...' if len(counts) > 10 else ''}")
    else:
        lines.append(f"numbers from {labels.min():g} to {labels.max():g}, {labels.mean():g} on average")
    paths = found.listing.pictures["path"]
    sizes, modes, unreadable = [], set(), 0
    for name in paths.iloc[:: max(1, len(paths) // LOOKED_AT)]:
        try:
            with Image.open(found.root / name, formats=FORMATS) as image:
                sizes.append(image.size)
                modes.add(image.mode)
        except Exception:  # a damaged file fails in as many ways as there are formats
            unreadable += 1
    if not sizes:
        raise UserError(f"{found.root}: no picture can be read: {', '.join(sorted(extensions()))} can")
    smallest, largest = min(sizes, key=lambda size: size[0] * size[1]), max(sizes, key=lambda size: size[0] * size[1])
    lines.append(f"from {smallest[0]}x{smallest[1]} to {largest[0]}x{largest[1]} pixels")
    if unreadable:
        lines.append(f"{unreadable:,} of {len(sizes) + unreadable:,} looked at cannot be read: the run will name them")
    lines += [f"{problem.path}: {problem.detail}" for problem in found.listing.problems[:5]]
    grey = modes <= {"1", "L", "LA", "I", "I;16", "I;16B", "I;16L"}
    return lines, min(SIDE, max(map(max, sizes))), 1 if grey else 3


def copy_pictures(found: Found, folder: Path, *, link: bool, mirror: bool, dry_run: bool) -> str:
    """Bring a dataset's folder up to date.

    Args:
        found: what to copy.
        folder: below data/raw.
        link: make symbolic links in place of copies.
        mirror: remove what is in the folder besides; else it stays, but for links to nothing.
        dry_run: only say what would be done.

    Returns:
        What has changed, in words.
    """
    names = list(found.listing.pictures["path"]) + ([found.table.name] if found.table else [])
    counts: Counter[str] = Counter()
    for name in names:
        source, target = found.root / name, folder / name
        if not source.is_file():
            continue  # the run will name it
        state = "new" if not target.exists() else "same" if filecmp.cmp(source, target, shallow=False) else "changed"
        counts[state] += 1
        if state != "same" and not dry_run:
            with written_whole(target) as partial:
                partial.symlink_to(source.resolve()) if link else shutil.copy2(source, partial)
    known = set(names)
    for path in folder.rglob("*"):
        broken = path.is_symlink() and not path.exists()
        if broken or (path.is_file() and path.relative_to(folder).as_posix() not in known):
            # DVC cannot track a link whose picture is gone
            state = "removed" if mirror or broken else "kept"
            counts[state] += 1
            if state == "removed" and not dry_run:
                path.unlink()
    said = {
        "new": "new",
        "changed": "changed",
        "same": "as before",
        "kept": f"only in {folder}, which stay there (--mirror removes them)",
        "removed": "removed",
    }
    return ", ".join(f"{counts[state]:,} {words}" for state, words in said.items() if counts[state]) or "nothing"


def plan_params(
    name: str, found: Found, side: int, channels: int, folder: Path, transfer: Path | None
) -> dict[str, dict[str, Any]]:
    """Plan what params.yaml gets.

    Args:
        name: of the dataset; those of the recipes are `<name>_cnn` and `<name>_transfer`.
        found: its pictures.
        side: their height and width, in pixels.
        channels: 1 or 3.
        folder: below data/raw.
        transfer: weights or a model for the second recipe to start from; None for no such.

    Returns:
        New entries by section; none for what is there, and the same.

    Raises:
        UserError: the name is taken by other data, or the weights are not understood.
    """
    params = read_params()
    dataset = _dataset(found, side, channels, folder)
    recipes, architectures = {f"{name}_cnn": _recipe(name, found.task)}, {ARCHITECTURE: LAYERS}
    known = params["datasets"].get(name)
    if known is not None:
        for key in ("source", "task", "table", "columns"):
            if known.get(key) != dataset.get(key):
                raise UserError(
                    f"{PARAMS_FILE}: datasets.{name}.{key} is {known.get(key)}, but for these pictures it would be "
                    f"{dataset.get(key)}: change it there, or choose another name"
                )
        # if it was taken out since, it is not wanted
        recipes.clear()
    elif folder.exists():
        raise UserError(f"{folder}: is there, but {PARAMS_FILE} has no dataset {name}: choose another name")
    if transfer:
        architecture, layers = _transfer_layers(transfer, min(known["height"], known["width"]) if known else side)
        recipe = f"{name}_transfer"
        start_from = params["recipes"].get(recipe, {}).get("start_from")
        if start_from is None:
            architectures[architecture] = layers
            recipes[recipe] = _transfer_recipe(name, found.task, architecture, transfer)
        elif start_from != transfer.as_posix():
            raise UserError(
                f"{PARAMS_FILE}: recipes.{recipe} is there, and starts from {start_from}: change it there, or rename it"
            )
    for recipe in recipes:
        if recipe in params["recipes"]:
            raise UserError(f"{PARAMS_FILE}: recipes.{recipe} is there: choose another name")
    wanted = {recipe["architecture"] for recipe in recipes.values()} - params["architectures"].keys()
    entries: dict[str, dict[str, Any]] = {
        "datasets": {} if known else {name: dataset},
        "recipes": recipes,
        "architectures": {key: layers for key, layers in architectures.items() if key in wanted},
    }
    return {section: values for section, values in entries.items() if values}


def write_params(entries: dict[str, dict[str, Any]]) -> None:
    """Write new entries at the ends of their sections of params.yaml; every other line stays as it is.

    Raises:
        UserError: the file is not laid out in lines of its own for each key.
    """
    wanted = read_params()
    lines = PARAMS_FILE.read_text("utf-8").splitlines()
    for section, values in entries.items():
        wanted[section] = {**wanted[section], **values}
        lines = _insert(lines, section, values)
    with written_whole(PARAMS_FILE) as partial:
        partial.write_text("\n".join(lines) + "\n", "utf-8")
        if read_yaml(partial) != wanted:
            raise UserError(f"{PARAMS_FILE}: cannot be added to: give each key a line of its own, as DVC does")


def _insert(lines: list[str], section: str, values: dict[str, Any]) -> list[str]:
    stream = io.StringIO()
    YAML().dump(values, stream)
    starts = [number for number, line in enumerate(lines) if line.split("#")[0].rstrip() == f"{section}:"]
    if not starts:
        raise UserError(f"{PARAMS_FILE}: no line `{section}:`")
    place = indent = 0
    for number in range(starts[0] + 1, len(lines)):
        text = lines[number].strip()
        if text and not text.startswith("#"):
            if lines[number][0] not in " -":
                break
            indent = indent or len(lines[number]) - len(lines[number].lstrip())
            place = number + 1
    new = [" " * indent + line for line in stream.getvalue().splitlines()]
    return lines[:place] + new + lines[place:]


def smallest_side(transfer: Path) -> int:
    """Return the smallest side, in pixels, of pictures for what a file is to start."""
    return 1 if transfer.suffix == ".keras" else SMALLEST_SIDES.get(_network(transfer), SMALLEST_SIDE)


def _network(weights: Path) -> str:
    return weights.name.partition(".")[0]


def _transfer_layers(transfer: Path, side: int) -> tuple[str, list[Any]]:
    """Return the name and the layers of an architecture that starts from a file, for pictures of that side."""
    if not transfer.exists():
        raise UserError(f"{transfer}: not found: store ImageNet's weights by `image-recipes weights MobileNetV2`")
    if transfer.is_absolute() or ".." in transfer.parts:
        raise UserError(f"{transfer}: lies outside of the project: copy it to {WEIGHTS}, and `dvc add` it there")
    if transfer.suffix == ".keras":
        return "trained", [{"Trained": None}]
    network = _network(transfer)
    check_network(network)
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", network) or not transfer.name.endswith(".h5"):
        raise UserError(
            f"{transfer}: name it after its network, such as MobileNetV2.weights.h5, or give a model of this project"
        )
    if side < smallest_side(transfer):
        raise UserError(
            f"{PARAMS_FILE}: the dataset's pictures have {side} pixels a side, but {network} takes at least "
            f"{smallest_side(transfer)}: raise height and width there"
        )
    return f"on_{network}", [{network: None}, {"GlobalAveragePooling2D": None}, {"Dropout": {"rate": 0.2}}]


def _transfer_recipe(dataset: str, task: str, architecture: str, transfer: Path) -> dict[str, Any]:
    adam = {"name": "Adam", "learning_rate": 0.001}
    return {
        **_recipe(dataset, task),
        "architecture": architecture,
        "start_from": transfer.as_posix(),
        "epochs": 10,
        "early_stopping": {"monitor": "val_loss", "patience": 5, "restore_best_weights": True},
        "fine_tuning": {"epochs": 10, "optimizer": {**adam, "learning_rate": 0.00001}},
    }


def _recipe(dataset: str, task: str) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "architecture": ARCHITECTURE,
        "start_from": RANDOM,
        "epochs": 30,
        "batch_size": 32,
        "precision": "float32",
        "jit_compile": "auto",
        "optimizer": {"name": "Adam", "learning_rate": 0.001},
        **({"standardize_targets": True} if task == "regression" else {}),
    }


def _dataset(found: Found, side: int, channels: int, folder: Path) -> dict[str, Any]:
    table = {"table": found.table.name, "columns": found.columns.model_dump()} if found.table and found.columns else {}
    return {
        "source": "table" if found.table else "folder",
        "task": found.task,
        "raw": folder.as_posix(),
        **table,
        "unit": found.columns.target if found.columns and found.task == "regression" else None,
        "height": side,
        "width": side,
        "channels": channels,
        "fit": "pad",
        "region": {"left": 0, "top": 0, "right": 1, "bottom": 1},
        "on_bad_picture": "stop",
        "max_bad_share": 0.05,
        "seed": 0,
        "samples": "train",
        "split": {**_shares(set(found.listing.pictures["split"])), "keep_together": "duplicates"},
    }


def _shares(given: set[str]) -> dict[str, Any]:
    """Return the splits that the source gives as `given`; those it lacks are cut from training."""
    shares: dict[str, Any] = {"train": 0.7, "validation": 0.15, "test": 0.15}
    if "train" not in given or not given & {"validation", "test"}:
        return shares
    known: dict[str, Any] = {name: "given" if name in given else share for name, share in shares.items()}
    lacking = sum(share for name, share in shares.items() if name not in given)
    return known if not lacking else {**known, "train": 1 - lacking}
