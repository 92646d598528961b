"""`image-recipes remove`: take a dataset or a recipe out, with all that it left."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import typer
from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo
from dvc.stage import Stage

from image_recipes.checks import COMPARED_FILES, MODELS_FOLDER, check_params
from image_recipes.commands.add import RAW_FOLDER
from image_recipes.commands.params_file import changing_params, remove_params
from image_recipes.core.errors import UserError, did_you_mean, one_line
from image_recipes.core.locks import LOCKS_FOLDER
from image_recipes.core.params import PARAMS_FILE, read_params
from image_recipes.core.yaml_file import read_yaml
from image_recipes.data.decoded import DECODED_FOLDER
from image_recipes.models.recipe import FEATURES_FOLDER, UNFINISHED_FOLDER
from image_recipes.results.learning_curve import curve_file, curve_plot
from image_recipes.results.searches import SEARCHES_FOLDER, list_trials, search_plots, table_file, trial_file
from image_recipes.results.seeds import seeds_file, seeds_plot
from image_recipes.search.settings import SECTION as SEARCHES


class Raw(NamedTuple):
    """A dataset's raw pictures, and why they stay; empty if they may be removed."""

    path: Path
    stays: str


def remove_from_project(name: str, raw_too: bool, dry_run: bool) -> None:
    """Remove a dataset with its recipes, or a recipe: what they have made, then their entries in params.yaml.

    Since those come last, the same command goes on after one that was stopped.

    Args:
        name: the dataset's or the recipe's.
        raw_too: a dataset's raw pictures too. Else a person at a terminal is asked, and elsewhere they stay.
        dry_run: only say what would be removed.

    Raises:
        UserError: there is no such name, or what stays needs it.
    """
    with changing_params():
        _remove(name, raw_too, dry_run)


def _remove(name: str, raw_too: bool, dry_run: bool) -> None:
    names, raw = plan_removal(name), _find_raw(name)
    # before anything goes
    remove_params(names, dry_run=True)
    try:
        with Repo() as repo, lock_repo(repo):
            stages = list(_load_stages(repo, names))
            made = {Path(out.def_path) for stage in stages for out in stage.outs} | set(_folders(names))
            if raw and not raw.stays and not raw_too:
                asked = sys.stdin.isatty() and not dry_run
                if not asked or not typer.confirm(f"Remove {raw.path} too, the pictures that were added?"):
                    raw = raw._replace(stays=f"to remove it too: image-recipes remove {name} --raw")
            print("\n".join(_describe(names, made, raw)))
            if dry_run:
                print("nothing was changed")
                return
            for stage in stages:
                # with its lines in .gitignore
                stage.remove(force=True, purge=False)
                Lockfile(repo, "dvc.lock").remove_stage(stage)
            for path in made:
                _delete(path)
            if names.get(SEARCHES):
                list_trials()
            if raw and not raw.stays:
                _delete_raw(repo, raw.path)
    except DvcException as error:
        raise UserError(f"DVC: {one_line(error)}: run the same command again once that is solved") from None
    remove_params(names)
    print("next: make repro" if read_params()["datasets"] else "next: image-recipes add PATH --name NAME")


def _describe(names: Mapping[str, list[str]], made: set[Path], raw: Raw | None) -> Iterator[str]:
    for section, entries in names.items():
        yield f"{PARAMS_FILE}: {section}: without {', '.join(entries)}"
    for path in sorted(filter(Path.exists, made)):
        # nobody has asked for locks
        if made.isdisjoint(path.parents) and LOCKS_FOLDER not in path.parents:
            yield f"{path}: removed"
    if raw:
        yield f"{raw.path}: {f'stays; {raw.stays}' if raw.stays else 'removed'}"


def plan_removal(name: str) -> dict[str, list[str]]:
    """Plan what params.yaml loses.

    Args:
        name: of a dataset, which goes with its recipes, or of a recipe; architectures go that no other recipe uses.

    Returns:
        Names by section; none if nothing but the dataset's raw pictures is left.

    Raises:
        UserError: there is no such name, or what stays needs it.
    """
    datasets, recipes = check_params(may_be_empty=True), read_params()["recipes"]
    if name not in datasets and name not in recipes:
        if _find_raw(name):
            return {}
        raise UserError(f"{PARAMS_FILE}: no dataset or recipe {name!r}: {did_you_mean(name, {*datasets, *recipes})}")
    if name in datasets and name in recipes:
        raise UserError(f"{PARAMS_FILE}: {name} is a dataset and a recipe: rename one of them there")
    going = datasets.get(name, [name])
    if name in recipes and datasets[recipes[name]["dataset"]] == going:
        dataset = recipes[name]["dataset"]
        raise UserError(
            f"{PARAMS_FILE}: recipes.{name} is the only one of {dataset}: add another one there, "
            f"or remove both by `image-recipes remove {dataset}`"
        )
    staying = {recipe: values for recipe, values in recipes.items() if recipe not in going}
    needing = [
        f"{PARAMS_FILE}: recipes.{recipe}.start_from: {recipe} starts from {values['start_from']}, which is to be "
        f"removed: change that first, or remove {recipe}"
        for recipe, values in staying.items()
        if _starts_from(values) in going
    ]
    if needing:
        raise UserError(*needing)
    searches = read_params().get(SEARCHES, {})
    used = {values["architecture"] for values in staying.values()}
    names = {
        "datasets": [name] if name in datasets else [],
        "recipes": going,
        "architectures": sorted({recipes[recipe]["architecture"] for recipe in going} - used),
        SEARCHES: [search for search, values in searches.items() if values["recipe"] in going],
    }
    return {section: entries for section, entries in names.items() if entries}


def _starts_from(recipe: Mapping[str, Any]) -> str | None:
    """Return the recipe whose model another one starts from."""
    file = Path(recipe["start_from"])
    return file.stem if file.parent == MODELS_FOLDER else None


def _find_raw(name: str) -> Raw | None:
    datasets = read_params()["datasets"]
    path = Path(datasets[name]["raw"]) if name in datasets else RAW_FOLDER / name
    tracked, added = Path(f"{path}.dvc").exists(), path.is_dir() and path == RAW_FOLDER / name
    if not (tracked or added or (name in datasets and path.exists())):
        return None
    others = [
        other
        for other, values in datasets.items()
        if other != name and (Path(values["raw"]).is_relative_to(path) or path.is_relative_to(values["raw"]))
    ]
    if others:
        return Raw(path, f"{', '.join(others)} is made from it")
    return Raw(path, "" if tracked or added else "it was not added by `image-recipes add`")


def _load_stages(repo: Repo, names: Mapping[str, list[str]]) -> Iterator[Stage]:
    for section, entries in names.items():
        for stage, definition in read_yaml(Path("dvc.yaml"))["stages"].items():
            if definition.get("foreach") == f"${{{section}}}":
                for entry in entries:
                    yield repo.stage.load_one("dvc.yaml", f"{stage}@{entry}")


def _folders(names: Mapping[str, list[str]]) -> Iterator[Path]:
    """Yield the folders of datasets and recipes, in which more may lie than the outputs of their stages."""
    for dataset in names.get("datasets", []):
        yield from (FEATURES_FOLDER / dataset, DECODED_FOLDER / dataset, seeds_plot(dataset))
        yield from (Path(folder, dataset) for folder in COMPARED_FILES)
    for recipe in names.get("recipes", []):
        yield from (Path("dvclive", recipe), Path("plots", recipe), UNFINISHED_FOLDER / recipe)
        yield from Path("plots/predictions").glob(f"*/{recipe}.csv")
        yield from (curve_file(recipe), curve_plot(recipe))
        yield from (seeds_file(recipe), *SEARCHES_FOLDER.glob(f"seeds_{recipe}.*"))
    for search in names.get(SEARCHES, []):
        yield from (table_file(search), trial_file(search), search_plots(search))
        yield from SEARCHES_FOLDER.glob(f"{search}.*")
    for name in [*names.get("datasets", []), *names.get("recipes", [])]:
        yield from LOCKS_FOLDER.glob(f"*@{name}.lock")


def _delete_raw(repo: Repo, raw: Path) -> None:
    if Path(f"{raw}.dvc").exists():
        repo.remove(f"{raw}.dvc", outs=True)
    _delete(raw)


def _delete(path: Path) -> None:
    """Delete a file or a folder that may be gone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
