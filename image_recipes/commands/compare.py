"""`image-recipes compare`: what recipes predict at two revisions, commits, branches, tags or experiments of DVC."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.scm import NoSCMError, SCMError
from dvc_data.index import DataIndexDirError

from image_recipes.comparison.pairs import compare_pairs, same_pictures
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError, did_you_mean
from image_recipes.core.params import load_seed
from image_recipes.core.tasks import Task
from image_recipes.evaluation.by_task import score_task
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.predictions import parse_predictions
from image_recipes.results.tables import format_value

PREDICTIONS_FOLDER = Path("data/predictions")
WORKSPACE = "workspace"


class RecipeAt(NamedTuple):
    """One side of a comparison: a revision, empty for the workspace, and one of its recipes or all."""

    revision: str
    recipe: str | None

    @classmethod
    def parse(cls, text: str) -> "RecipeAt":
        """Read `REV`, `REV:RECIPE`, or `:RECIPE` for the workspace."""
        revision, _, recipe = text.partition(":")
        return cls("" if revision == WORKSPACE else revision, recipe or None)


class MissingPredictionsError(Exception):
    """A recipe's predictions, or what their dataset is, are neither in DVC's cache nor on a remote."""


class Revision:
    """The predictions of one revision, read from DVC's cache when they are asked for."""

    def __init__(self, revision: str) -> None:
        """Open a revision.

        Raises:
            UserError: there is no such revision, or it holds no predictions.
        """
        self.revision = revision
        self.name = revision or WORKSPACE
        try:
            self._files = DVCFileSystem(rev=revision or None)
            found = self._files.find(PREDICTIONS_FOLDER.as_posix())
        except FileNotFoundError:
            found = []
        except NoSCMError:
            raise UserError("no Git repository here: revisions are compared within one") from None
        except SCMError:
            raise UserError(
                f"{self.name}: no such commit, branch, tag or experiment: see `git log` and `dvc exp list`"
            ) from None
        except DvcException as error:
            raise UserError(f"{self.name}: cannot be read: {error}") from None
        # by recipe
        self.datasets = {Path(file).stem: Path(file).parent.name for file in found if file.endswith(".csv")}
        # the recipes whose predictions were asked for and are not here
        self.missing: list[str] = []
        self._hashes: dict[str, str | None] = {}
        if not self.datasets:
            raise UserError(f"{self.name}: no predictions: make them by `dvc repro`{self._there()}")

    def load(self, recipe: str) -> tuple[DatasetInfo, pd.DataFrame]:
        """Load a recipe's dataset, without its pictures, and its predictions.

        Raises:
            UserError: it has no such recipe.
            MissingPredictionsError: it has, but what it predicts is not here.
        """
        if recipe not in self.datasets:
            raise UserError(f"{self.name}: no predictions of {recipe!r}: {did_you_mean(recipe, self.datasets)}")
        dataset = self.datasets[recipe]
        try:
            info = DatasetInfo.from_json(json.loads(self._read(f"data/prepared/{dataset}/dataset.json")))
            return info, parse_predictions(self._read(f"{PREDICTIONS_FOLDER}/{dataset}/{recipe}.csv"), info)
        except (OSError, ValueError, TypeError, KeyError, DvcException, DataIndexDirError):
            self.missing.append(recipe)
            raise MissingPredictionsError from None

    def describe_missing(self) -> str:
        """Say in one line which predictions were asked for and are not here, and what to do."""
        stages = " ".join(f"evaluate@{recipe}" for recipe in self.missing)
        return (
            f"{self.name}: the predictions of {', '.join(self.missing)} are not here: make them by "
            f"`dvc repro {stages}`{self._there()}, or get them from a remote"
        )

    def hash_pictures(self, dataset: str) -> str | None:
        """Return the MD5 of a dataset's pictures; None where they are not here."""
        if dataset not in self._hashes:
            self._hashes[dataset] = self._hash(f"data/prepared/{dataset}/images.npy")
        return self._hashes[dataset]

    def _hash(self, file: str) -> str | None:
        try:
            if not self.revision:
                return hash_as_dvc(Path(file))
            return self._files.info(file).get("md5")
        except (OSError, KeyError, DvcException, DataIndexDirError):
            return None

    def _read(self, file: str) -> bytes:
        return self._files.read_bytes(file) if self.revision else Path(file).read_bytes()

    def _there(self) -> str:
        if not self.revision:
            return ""
        return f" after `git checkout {self.revision}` (an experiment: `dvc exp apply {self.revision}`)"


def print_comparison(first: RecipeAt, second: RecipeAt) -> None:
    """Print a table of the recipes that could be compared, and remarks on the others.

    Args and errors are those of `compare_revisions`.
    """
    table, remarks = compare_revisions(first, second, load_seed())
    if len(table):
        print(table.to_markdown(index=False, tablefmt="plain", disable_numparse=True))
    for remark in remarks:
        print(remark)


def compare_revisions(first: RecipeAt, second: RecipeAt, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """Compare recipes of two revisions, each pair on the same test pictures.

    Args:
        first: without a recipe, all of those that both revisions have.
        second: the same; where just one side names a recipe, the other has the same.
        seed: of the bootstrap.

    Returns:
        A table with a row for each pair that could be compared: recipe, metric, a column for each
        side, p (corrected by Holm) and verdict; and remarks on the others.

    Raises:
        UserError: nothing can be compared.
    """
    sides = [Revision(side.revision) for side in (first, second)]
    recipes = (first.recipe or second.recipe, second.recipe or first.recipe)
    common = [recipe for recipe in sides[0].datasets if recipe in sides[1].datasets]
    pairs = [(recipes[0], recipes[1])] if recipes[0] and recipes[1] else [(recipe, recipe) for recipe in common]
    remarks = []
    if not recipes[0]:
        for here, there in (sides, sides[::-1]):
            missing = [recipe for recipe in here.datasets if recipe not in there.datasets]
            remarks += [f"only {here.name} has {', '.join(missing)}"] if missing else []
    same: list[str] = []
    compared: dict[Task, list[dict[str, Any]]] = {}
    tables: dict[str, pd.DataFrame] = {}
    for one, other in pairs:
        names = [f"{side.name}:{recipe}" for side, recipe in zip(sides, (one, other), strict=True)]
        recipe = one if one == other else f"{one}, {other}"
        try:
            task, predictions, checked = _load_pair(sides, one, other, names)
        except UserError as error:
            remarks.append(str(error))
            continue
        except MissingPredictionsError:
            continue
        if predictions[0].equals(predictions[1]):
            same.append(recipe)
            continue
        if not checked:
            remarks.append(f"{recipe}: the pictures themselves are not here: only their labels were compared")
        tables |= dict(zip(names, predictions, strict=True))
        values = [score_task(task, table) for table in predictions]
        compared.setdefault(task, []).append({"recipe": recipe, "names": names, "values": values})
    rows = [row for task, entries in compared.items() for row in _judge(task, entries, tables, seed, sides)]
    remarks += [side.describe_missing() for side in sides if side.missing]
    if same:
        remarks.insert(0, f"the same predictions: {', '.join(same)}")
    elif not rows:
        raise UserError(*(remarks or [f"{sides[0].name} and {sides[1].name} have no recipe in common"]))
    return pd.DataFrame(rows), remarks


def _load_pair(
    sides: list[Revision], one: str, other: str, names: list[str]
) -> tuple[Task, tuple[pd.DataFrame, pd.DataFrame], bool]:
    """Return the task, both predictions, and whether the pictures themselves were found to be the same.

    Raises:
        UserError: they cannot be compared.
        MissingPredictionsError: those of one side are not here.
    """
    if names[0] == names[1]:
        raise UserError(f"{names[0]}: compared with itself: name another revision or another recipe")
    (info, left), (other_info, right) = sides[0].load(one), sides[1].load(other)
    datasets = sides[0].datasets[one], sides[1].datasets[other]
    which = f"{names[0]} and {names[1]} cannot be compared"
    if datasets[0] != datasets[1] or info.task != other_info.task:
        raise UserError(f"{which}: they are of {datasets[0]} and {datasets[1]}")
    hashes = [side.hash_pictures(datasets[0]) for side in sides]
    checked = None not in hashes
    if not same_pictures(left, right) or (checked and hashes[0] != hashes[1]):
        raise UserError(f"{which}: they were tested on different pictures")
    return info.task, (left, right), checked


def _judge(
    task: Task, entries: list[dict[str, Any]], tables: dict[str, pd.DataFrame], seed: int, sides: list[Revision]
) -> list[dict[str, Any]]:
    pairs = [tuple(entry["names"]) for entry in entries]
    # those of another task have other columns
    verdicts = compare_pairs(task, {name: tables[name] for pair in pairs for name in pair}, pairs, seed)
    columns = [side.name for side in sides]
    if columns[0] == columns[1]:
        columns = ["first", "second"]
    return [
        {
            "recipe": entry["recipe"],
            "metric": task.metric,
            **{
                column: format_value(task.metric, value) for column, value in zip(columns, entry["values"], strict=True)
            },
            "p (Holm)": format_value("p", verdict["p_holm"]),
            "verdict": verdict["verdict"],
        }
        for entry, verdict in zip(entries, verdicts.to_dict("records"), strict=True)
    ]
