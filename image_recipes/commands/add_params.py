"""What `image-recipes add` writes into params.yaml: a dataset, recipes for it, and their architectures."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from image_recipes.commands.add_recipes import make_layers, make_recipe, make_transfer_layers, make_transfer_recipe
from image_recipes.core.errors import UserError
from image_recipes.core.params import PARAMS_FILE, SPLIT_NAMES, read_params
from image_recipes.data.folder import FolderLayout
from image_recipes.data.picture_folder import is_visible
from image_recipes.intake.found import Found
from image_recipes.intake.look import Look
from image_recipes.models.recipe import WEIGHTS_FOLDER, check_loads_weights

# of a dataset: how its pictures are read
UNDERSTOOD = ("source", "task", "table", "columns", "missing", "split_folders", "class_from", "rename_classes", "unit")
# ImageNet's weights to start from where nobody names others
DEFAULT_WEIGHTS = WEIGHTS_FOLDER / "EfficientNetLite0.weights.h5"


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
    dataset = _dataset(found, look, folder)
    known, side = params["datasets"].get(name), look.side
    if known is not None:
        for key in UNDERSTOOD:
            # what a dataset of before does not say is read as it was then
            if key in known and known[key] != dataset.get(key) and not _is_renamed_unit(key, known[key], dataset[key]):
                raise UserError(
                    f"{PARAMS_FILE}: datasets.{name}.{key} is {known.get(key)}, but for these pictures it would be "
                    f"{dataset.get(key)}: change it there, or choose another name"
                )
        side = min(known["height"], known["width"])
    elif not lies_in(found, folder) and _holds_others(folder, found):
        raise UserError(
            f"{folder}: is there, but {PARAMS_FILE} has no dataset {name}: choose another name, "
            f"or remove it by `image-recipes remove {name} --raw`"
        )
    pictures = _to_learn_from(found, (known or dataset)["split"])
    recipes: dict[str, Any] = {}
    architectures: dict[str, list[Any]] = {}
    # if it was taken out of a known dataset since, it is not wanted
    if known is None:
        architecture, layers = make_layers(side)
        architectures[architecture] = layers
        recipes[f"{name}_cnn"] = make_recipe(name, found.task, architecture, pictures)
    if transfer:
        network, recipe = _find_network(transfer), f"{name}_transfer"
        start_from = params["recipes"].get(recipe, {}).get("start_from")
        if start_from is None:
            architecture, layers = make_transfer_layers(network, side)
            architectures[architecture] = layers
            recipes[recipe] = make_transfer_recipe(name, found.task, architecture, pictures, transfer)
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


def _is_renamed_unit(key: str, known: str | None, found: str | None) -> bool:
    """Tell whether a person has named the unit otherwise: what stands in brackets must be the same, if both have it."""
    if key != "unit":
        return False
    brackets = [re.search(r"\(([^()]*)\)$", unit or "") for unit in (known, found)]
    first, second = (bracket and bracket[1] for bracket in brackets)
    return not (first and second) or first == second


def lies_in(found: Found, folder: Path) -> bool:
    """Tell whether what was found lies in its folder of data/raw already."""
    first = next(iter(found.sources.values()))
    # where it lies itself, and not what it may lead to
    return first.parent.resolve().is_relative_to(folder.resolve())


def _holds_others(folder: Path, found: Found) -> bool:
    """Tell whether a folder holds other files than those that are to be added."""
    names = {*found.sources, *([found.table.name] if found.table else [])}
    files = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return any(file.as_posix() not in names and all(map(is_visible, file.parts)) for file in files)


def _find_network(transfer: Path) -> str | None:
    """Return the network whose weights a file holds, or None for another recipe's model.

    Raises:
        UserError: it is neither, or cannot be used here.
    """
    if not transfer.exists():
        raise UserError(f"{transfer}: not found: store ImageNet's weights by `image-recipes weights EfficientNetLite0`")
    if transfer.is_absolute() or ".." in transfer.parts:
        raise UserError(f"{transfer}: lies outside of the project: copy it to {WEIGHTS_FOLDER}, and `dvc add` it there")
    if transfer.suffix == ".keras":
        return None
    network = transfer.name.partition(".")[0]
    check_loads_weights(network)
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", network) or not transfer.name.endswith(".h5"):
        raise UserError(
            f"{transfer}: name it after its network, such as MobileNetV2.weights.h5, or give a model of this project"
        )
    return network


def _to_learn_from(found: Found, split: Mapping[str, Any]) -> int:
    """Return about how many pictures there will be for training."""
    given = [name for name in SPLIT_NAMES if split[name] == "given"]
    splits, share = found.listing.pictures["split"], split["train"]
    if share == "given":
        return int((splits == "train").sum())
    left = int((~splits.isin(given)).sum())
    return round(share * left) if share <= 1 else min(share, left)


def _dataset(found: Found, look: Look, folder: Path) -> dict[str, Any]:
    return {
        **_source(found, folder),
        "height": look.side,
        "width": look.side,
        "channels": look.channels,
        "fit": "pad",
        "region": {"left": 0, "top": 0, "right": 1, "bottom": 1},
        **({"pixel_range": "auto"} if look.deep else {}),
        "on_bad_picture": "stop",
        "max_bad_share": 0.05,
        "seed": 0,
        "samples": "train",
        "split": {**_shares(set(found.listing.pictures["split"])), "keep_together": "duplicates"},
        **({"rename_classes": dict(found.renamed)} if found.renamed else {}),
    }


def _source(found: Found, folder: Path) -> dict[str, Any]:
    """Return what says how pictures are read again, as they were understood."""
    first = {"source": "table" if found.table else "folder", "task": found.task.name, "raw": folder.as_posix()}
    if found.table:
        columns = found.table.columns.model_dump()
        return {
            **first,
            "table": found.table.name,
            "columns": columns,
            "missing": found.table.missing,
            "unit": found.unit,
        }
    layout = found.layout or FolderLayout()
    return {
        **first,
        "split_folders": dict(layout.split_folders or {}),
        "class_from": layout.class_from,
        "unit": None,
    }


def _shares(given: set[str]) -> dict[str, Any]:
    """Return the splits that the source gives as `given`; those it lacks are cut from training."""
    shares: dict[str, Any] = {"train": 0.7, "validation": 0.15, "test": 0.15}
    if not given & {"validation", "test"}:
        return shares
    known: dict[str, Any] = {name: "given" if name in given else share for name, share in shares.items()}
    lacking = sum(shares[name] for name in ("validation", "test") if name not in given)
    return {**known, "train": round(1 - lacking, 2)} if lacking else known
