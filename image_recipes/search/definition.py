"""All that a search's trials depend on, and its digest."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from image_recipes.core.tasks import Task
from image_recipes.models.recipe import recipe_of
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.learning_curve import MODELS_FOLDER
from image_recipes.search.settings import Range, Search, find_direction


class Definition(NamedTuple):
    """All that a search's trials depend on, but the code.

    Attributes:
        search: its settings and the params that it varies.
        direction: of its metric, min or max.
        seed: of params.yaml; training k of a trial has this plus k.
        data: the digest of its pictures and their division.
        epochs: of its longest training.
        starts: the digests of the project's own models that trainings may start from, by path; None of one that is
            not there.
    """

    search: Search
    direction: str
    seed: int
    data: str
    epochs: int
    starts: Mapping[str, str | None]

    @property
    def reach(self) -> list[Any]:
        """What a trial may use of params.yaml beside its recipe: layers by architecture, and starts."""
        layers = self.search.params["architectures"]
        names = _list_reachable(self.search, "architecture")
        return [{name: layers.get(name) for name in names}, dict(self.starts)]

    def key_of(self, values: Mapping[str, Any]) -> str:
        """Return a digest of all that a trial's figures depend on, but the code.

        Args:
            values: the trial's, by path.
        """
        settings, params = self.search.settings, self.search.at(values)
        recipe = params["recipes"][settings.recipe]
        layers = params["architectures"][recipe["architecture"]]
        parts = [recipe, layers, settings.metric, settings.seeds, self.seed, self.data]
        # weights from elsewhere are known by their name
        if recipe["start_from"] in self.starts:
            parts.append(self.starts[recipe["start_from"]])
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def define(search: Search, task: Task, data: str) -> Definition:
    """Find all that a search's trials depend on.

    Args:
        search: whose recipe is valid.
        task: of its dataset.
        data: as `digest_data` returns it.
    """
    recipe = recipe_of(search.params, search.settings.recipe)
    epochs = search.settings.space.get(f"recipes.{recipe.name}.epochs", [recipe.settings.epochs])
    longest = int(epochs.high) if isinstance(epochs, Range) else max(epochs)
    own = [Path(start) for start in _list_reachable(search, "start_from") if Path(start).parent == MODELS_FOLDER]
    starts = {path.as_posix(): hash_as_dvc(path) if path.exists() else None for path in own}
    direction = find_direction(search.settings, task) or "min"
    return Definition(search, direction, search.params["seed"], data, longest, starts)


def _list_reachable(search: Search, key: str) -> list[str]:
    """List what a key of the recipe may be in a trial."""
    recipe = search.settings.recipe
    choices = search.settings.space.get(f"recipes.{recipe}.{key}", [])
    return list(dict.fromkeys([search.params["recipes"][recipe][key], *map(str, choices)]))


def digest_data(data_hash: str, training: np.ndarray, validation: np.ndarray) -> str:
    """Return a digest of prepared pictures, and of which are for training and validation.

    Args:
        data_hash: of the prepared dataset, as DVC has it.
        training: int64, positions of the pictures to learn from.
        validation: of those that judge.
    """
    digest = hashlib.sha256(data_hash.encode())
    for positions in (training, validation):
        digest.update(np.ascontiguousarray(positions, np.int64).data)
    return digest.hexdigest()
