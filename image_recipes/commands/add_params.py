"""What `image-recipes add` writes into params.yaml: a dataset, recipes for it, and their architectures."""

import io
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from image_recipes.commands.add_found import Found, Look
from image_recipes.commands.by_task import COMMANDS
from image_recipes.core.errors import UserError
from image_recipes.core.files import written_whole
from image_recipes.core.params import PARAMS_FILE, read_params, read_yaml
from image_recipes.core.tasks import Task
from image_recipes.data.labels import LABELS
from image_recipes.models.recipe import RANDOM, WEIGHTS_FOLDER, check_loads_weights

# the side that networks of keras.applications take at least, in pixels, and those that take more
SMALLEST_SIDE = 32
SMALLEST_SIDES = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75}
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


def plan_params(name: str, found: Found, look: Look, folder: Path, transfer: Path | None) -> dict[str, dict[str, Any]]:
    """Plan what params.yaml gets.

    Args:
        name: of the dataset; those of the recipes are `<name>_cnn` and `<name>_transfer`.
        found: its pictures.
        look: what a look at them tells.
        folder: below data/raw.
        transfer: weights or a model for the second recipe to start from; None for no such.

    Returns:
        New entries by section; none for what is there, and the same.

    Raises:
        UserError: the name is taken by other data, or the weights are not understood.
    """
    params = read_params()
    side = max(look.side, smallest_side(transfer)) if transfer else look.side
    dataset = _dataset(found, side, look.channels, folder)
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
        raise UserError(f"{transfer}: lies outside of the project: copy it to {WEIGHTS_FOLDER}, and `dvc add` it there")
    if transfer.suffix == ".keras":
        return "trained", [{"Trained": None}]
    network = _network(transfer)
    check_loads_weights(network)
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


def _transfer_recipe(dataset: str, task: Task, architecture: str, transfer: Path) -> dict[str, Any]:
    adam = {"name": "Adam", "learning_rate": 0.001}
    return {
        **_recipe(dataset, task),
        "architecture": architecture,
        "start_from": transfer.as_posix(),
        "epochs": 10,
        "early_stopping": {"monitor": "val_loss", "patience": 5, "restore_best_weights": True},
        "fine_tuning": {"epochs": 10, "optimizer": {**adam, "learning_rate": 0.00001}},
    }


def _recipe(dataset: str, task: Task) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "architecture": ARCHITECTURE,
        "start_from": RANDOM,
        "epochs": 30,
        "batch_size": 32,
        "precision": "float32",
        "jit_compile": "auto",
        "optimizer": {"name": "Adam", "learning_rate": 0.001},
        **COMMANDS[task].default_settings,
    }


def _dataset(found: Found, side: int, channels: int, folder: Path) -> dict[str, Any]:
    table = {"table": found.table.name, "columns": found.columns.model_dump()} if found.table and found.columns else {}
    return {
        "source": "table" if found.table else "folder",
        "task": found.task.name,
        "raw": folder.as_posix(),
        **table,
        "unit": LABELS[found.task].guess_unit(found.columns.target) if found.columns else None,
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
