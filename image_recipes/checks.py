"""Checking the whole of params.yaml before anything is deleted or trained."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from image_recipes.core.errors import UserError, did_you_mean, show_value
from image_recipes.core.names import check_plain
from image_recipes.core.params import PARAMS_FILE, Seed, read_params, validate
from image_recipes.core.tasks import TASKS
from image_recipes.data.sources import Dataset, validate_dataset
from image_recipes.explanation import wanted as heatmaps
from image_recipes.models.recipe import WEIGHTS_FOLDER, Layers, RecipeSettings, find_unsuited
from image_recipes.search.settings import SECTION as SEARCHES
from image_recipes.search.settings import Search, SearchSettings, find_misfits

SECTIONS = ("seed", heatmaps.KEY, "datasets", "recipes", "architectures")
# sections that may be left out
OPTIONAL = (SEARCHES,)
# of a key that is missing, if more is to be said than to add it
REMEDIES = {heatmaps.KEY: "add `heatmaps: true`, or false for none"}
# keys that hold a single value
VALUES = {"seed": Seed, heatmaps.KEY: heatmaps.Switch}
# what the folders metrics/ and plots/ hold beside datasets and recipes
RESERVED_NAMES = {
    "datasets": {"baseline", "compare", "learning_curve", "searches", "seeds", "suspects"},
    "recipes": {"compare", "history", "learning_curve", "overview", "predictions", "samples", "searches", "seeds"},
}
MODELS_FOLDER = Path("models")
# where a recipe leaves files for `compare`, `suspects` or `report`, in a folder of its dataset, and their ending
COMPARED_FILES = {
    "metrics": ".json",
    "plots/history": ".csv",
    "data/heatmaps": ".npz",
    "data/out_of_fold": ".npy",
    "data/predictions": ".csv",
}


def check_params(may_be_empty: bool = False) -> dict[str, list[str]]:
    """Check every section, and that the sections fit each other.

    Args:
        may_be_empty: there need be no dataset yet.

    Returns:
        The names of the recipes of each dataset, in the order of the file.

    Raises:
        UserError: a line for each finding: key, recipe and remedy.
    """
    params = read_params()
    findings = [
        f"top level: unknown key {show_value(key)}: {did_you_mean(key, (*SECTIONS, *OPTIONAL))}"
        for key in params
        if key not in (*SECTIONS, *OPTIONAL)
    ]
    findings += [f"{key}: missing: {REMEDIES.get(key, 'add it')}" for key in SECTIONS if key not in params]
    findings = [f"{PARAMS_FILE}: {finding}" for finding in findings]

    schemas: dict[str, Callable[[str, Any], Any]] = {
        "datasets": validate_dataset,
        "recipes": lambda name, section: validate(RecipeSettings, section, f"recipes.{name}"),
        "architectures": lambda name, section: validate(Layers, section, f"architectures.{name}"),
        SEARCHES: lambda name, section: validate(SearchSettings, section, f"{SEARCHES}.{name}"),
    }
    valid: dict[str, dict[str, Any]] = {key: {} for key in schemas}
    for key, schema in VALUES.items():
        if key in params:
            try:
                validate(schema, params[key], key)
            except UserError as error:
                findings += error.args
    for key, check in schemas.items():
        if key in params and not isinstance(params[key], dict):
            findings.append(f"{PARAMS_FILE}: {key}: give a mapping of names, or {{}} for none")
        for name, section in _mapping(params, key).items():
            try:
                check_name(key, name)
                valid[key][name] = check(name, section)
            except UserError as error:
                findings += error.args

    if params.get("datasets") == {} and not may_be_empty:
        findings.append(f"{PARAMS_FILE}: datasets: none yet: add one by `image-recipes add PATH --name NAME`")
    recipes, datasets = valid["recipes"], valid["datasets"]
    for name, recipe in recipes.items():
        findings += [f"{PARAMS_FILE}: recipes.{name}.{line}" for line in _misfits(name, recipe, params, datasets)]
    for name, search in valid[SEARCHES].items():
        where = f"{PARAMS_FILE}: {SEARCHES}.{name}"
        findings += [f"{where}.{line}" for line in _misfits_of_search(name, search, params, recipes, datasets)]
    # a recipe that is not valid may be meant for any dataset
    if len(recipes) == len(_mapping(params, "recipes")):
        used = {recipe.dataset for recipe in recipes.values()}
        findings += [
            f"{PARAMS_FILE}: datasets.{name}: no recipe uses it: add one under recipes, or remove it"
            for name in _mapping(params, "datasets")
            if name not in used
        ]
    if findings:
        raise UserError(*findings)
    return {name: [recipe for recipe, values in recipes.items() if values.dataset == name] for name in datasets}


def check_raw_files(recipes: Mapping[str, Collection[str]]) -> None:
    """Check that the file or folder each dataset is made from exists, and what recipes start from.

    Args:
        recipes: those to look at, by dataset.

    Raises:
        UserError: it does not.
    """
    params = read_params()
    for name, section in _mapping(params, "datasets").items():
        raw = Path(validate_dataset(name, section).raw)
        if name in recipes and not raw.exists():
            tracked = raw.with_name(f"{raw.name}.dvc")
            remedy = f"dvc pull {tracked}" if tracked.exists() else f"git checkout {raw}"
            raise UserError(
                f"{raw}: not found, but datasets.{name}.raw names it: restore it by `{remedy}` or correct the path"
            )
    for name, section in _mapping(params, "recipes").items():
        settings = validate(RecipeSettings, section, f"recipes.{name}")
        file = Path(settings.start_from)
        looked_at = name in recipes.get(settings.dataset, ())
        if looked_at and not file.exists() and file.parent != MODELS_FOLDER:
            remedy = f"`dvc pull {file}.dvc`" if Path(f"{file}.dvc").exists() else f"`git checkout {file}`"
            if file.parent == WEIGHTS_FOLDER and file.suffix == ".h5":
                remedy += f", store it again by `image-recipes weights {file.name.partition('.')[0]}`,"
            raise UserError(
                f"{file}: not found, but recipes.{name}.start_from names it: restore it by {remedy} or correct the path"
            )


def find_leftovers(recipes: dict[str, list[str]]) -> list[Path]:
    """Find what recipes that are gone have left where `compare` looks.

    They are passed over, but as long as they lie there DVC counts them among what
    `compare` depends on.

    Args:
        recipes: as `check_params` returns them.

    Returns:
        The files, sorted.
    """
    return sorted(
        file
        for dataset, names in recipes.items()
        for folder, ending in COMPARED_FILES.items()
        for file in Path(folder, dataset).glob(f"*{ending}")
        if file.stem not in names
    )


def _mapping(params: dict[str, Any], key: str) -> dict[Any, Any]:
    value = params.get(key)
    return value if isinstance(value, dict) else {}


def check_name(key: str, name: object) -> None:
    """Check the name of a dataset, a recipe or an architecture.

    Raises:
        UserError: it cannot be part of a file name and a key of DVC, or is taken.
    """
    check_plain(key, name)
    if name in RESERVED_NAMES.get(key, ()):
        raise UserError(f"{PARAMS_FILE}: {key}: name {name!r} is taken by a folder of the project: choose another")


def _misfits(name: str, recipe: RecipeSettings, params: dict[str, Any], datasets: dict[str, Dataset]) -> list[str]:
    lines = []
    file = Path(recipe.start_from)
    others = _mapping(params, "recipes").keys() - {name}
    if file.parent == MODELS_FOLDER and (file.suffix != ".keras" or file.stem not in others):
        lines.append(f"start_from: no other recipe makes {file}: {did_you_mean(file.stem, map(str, others))}")
    if recipe.dataset in datasets:
        lines += find_unsuited(recipe, TASKS[datasets[recipe.dataset].task])
    for key, wanted in [("dataset", recipe.dataset), ("architecture", recipe.architecture)]:
        known = _mapping(params, f"{key}s")
        if wanted not in known:
            lines.append(f"{key}: no {key} {show_value(wanted)}: {did_you_mean(wanted, map(str, known))}")
    train = datasets[recipe.dataset].split.train if recipe.dataset in datasets else None
    # a share of the pictures is known once they are prepared
    if isinstance(train, int) and recipe.batch_size > train:
        lines.append(
            f"batch_size: {recipe.batch_size:,} is more than the {train:,} training pictures "
            f"of {recipe.dataset}: lower it"
        )
    return lines


def _misfits_of_search(
    name: str,
    search: SearchSettings,
    params: dict[str, Any],
    recipes: dict[str, RecipeSettings],
    datasets: dict[str, Dataset],
) -> list[str]:
    if search.recipe not in _mapping(params, "recipes"):
        known = map(str, _mapping(params, "recipes"))
        return [f"recipe: no recipe {show_value(search.recipe)}: {did_you_mean(search.recipe, known)}"]
    # what is wrong with the recipe itself is said already
    if search.recipe not in recipes or recipes[search.recipe].dataset not in datasets:
        return []
    task = TASKS[datasets[recipes[search.recipe].dataset].task]
    return find_misfits(Search(name, search, params), task)
