"""Checking the whole of params.yaml before anything is deleted or trained."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from image_recipes.errors import UserError, did_you_mean
from image_recipes.params import (
    PARAMS_FILE,
    Architecture,
    Dataset,
    Recipe,
    Seed,
    read_params,
    validate,
    validate_dataset,
)

SECTIONS = ("seed", "datasets", "recipes", "architectures")
# names that the folders metrics/ and plots/ already use beside those of datasets and recipes
RESERVED = {"datasets": {"compare"}, "recipes": {"compare", "history", "predictions", "samples"}}


def check_params() -> dict[str, list[str]]:
    """Check every section, and that the sections fit each other.

    Returns:
        The names of the recipes of each dataset, in the order of the file.

    Raises:
        UserError: a line for each finding: key, recipe and remedy.
    """
    params = read_params()
    findings = [
        f"top level: unknown key {key!r}: {did_you_mean(key, SECTIONS)}" for key in params if key not in SECTIONS
    ]
    findings += [f"{key}: missing: add it" for key in SECTIONS if key not in params]
    findings = [f"{PARAMS_FILE}: {finding}" for finding in findings]

    if "seed" in params:
        _collect(findings, lambda: validate(Seed, params["seed"], "seed"))
    datasets = _check_named(params, "datasets", validate_dataset, findings)
    recipes = _check_named(
        params, "recipes", lambda name, section: validate(Recipe, section, f"recipes.{name}"), findings
    )
    _check_named(
        params,
        "architectures",
        lambda name, section: validate(Architecture, section, f"architectures.{name}"),
        findings,
    )

    for name, recipe in recipes.items():
        findings += [f"{PARAMS_FILE}: recipes.{name}.{line}" for line in _misfits(recipe, params, datasets)]
    used = {recipe.get("dataset") for recipe in _mapping(params, "recipes").values() if isinstance(recipe, dict)}
    findings += [
        f"{PARAMS_FILE}: datasets.{name}: no recipe uses it: add one under recipes, or remove it"
        for name in _mapping(params, "datasets")
        if name not in used
    ]
    if findings:
        raise UserError("\n".join(findings))
    return {name: [recipe for recipe, values in recipes.items() if values.dataset == name] for name in datasets}


def check_raw_files() -> None:
    """Check that the file or folder each dataset is made from exists.

    Raises:
        UserError: it does not.
    """
    for name, section in _mapping(read_params(), "datasets").items():
        raw = validate_dataset(name, section).raw
        if not Path(raw).exists():
            raise UserError(
                f"{raw}: not found, but datasets.{name}.raw names it: "
                f"restore it by `git checkout {raw}` or correct the path"
            )


def _mapping(params: dict[str, Any], key: str) -> dict[str, Any]:
    value = params.get(key)
    return value if isinstance(value, dict) else {}


def _check_named(
    params: dict[str, Any], key: str, check: Callable[[str, Any], Any], findings: list[str]
) -> dict[str, Any]:
    if key in params and not _mapping(params, key):
        findings.append(f"{PARAMS_FILE}: {key}: give a mapping with at least one name in it")
    valid: dict[str, Any] = {}
    for name, section in _mapping(params, key).items():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", str(name)):
            findings.append(f"{PARAMS_FILE}: {key}: name {name!r}: use letters, digits and underscores, a letter first")
        elif name in RESERVED.get(key, ()):
            findings.append(f"{PARAMS_FILE}: {key}: name {name!r} is taken by a folder of the project: choose another")
        else:
            _collect(findings, lambda: valid.update({name: check(name, section)}))  # noqa: B023 - called at once
    return valid


def _collect(findings: list[str], check: Callable[[], Any]) -> None:
    try:
        check()
    except UserError as error:
        findings += str(error).splitlines()


def _misfits(recipe: Recipe, params: dict[str, Any], datasets: dict[str, Dataset]) -> list[str]:
    lines = []
    for key, wanted in [("dataset", recipe.dataset), ("architecture", recipe.architecture)]:
        known = _mapping(params, f"{key}s")
        if wanted not in known:
            lines.append(f"{key}: no {key} {wanted!r}: {did_you_mean(wanted, map(str, known))}")
    if recipe.dataset in datasets and recipe.batch_size > datasets[recipe.dataset].split.train:
        train = datasets[recipe.dataset].split.train
        lines.append(
            f"batch_size: {recipe.batch_size:,} is more than the {train:,} training pictures "
            f"of {recipe.dataset}: lower it"
        )
    return lines
