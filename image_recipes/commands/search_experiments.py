"""A search's trials as DVC's experiments, made by Git alone: no stage runs, and no file of the workspace changes.

What an experiment of DVC is: a commit on the one that is checked out, at `refs/exps/<its hash>/<name>`.
"""

import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from image_recipes.commands.git import ask_git, decode
from image_recipes.commands.search_apply import write_values
from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text
from image_recipes.core.params import PARAMS_FILE
from image_recipes.results.searches import DVC_FILE, as_dvc_file, list_trials, trial_file
from image_recipes.search.settings import Search

# of the commits, where Git knows nobody
SOMEBODY = "image-recipes <image-recipes@localhost>"
REMEDY = "commit first, or leave experiments out by --no-experiments"


def write_trial(search: Search, row: "pd.Series[Any] | None") -> None:
    """Write the figures of a search's best trial, and list the file for DVC; without one, remove it."""
    if row is None:
        trial_file(search.name).unlink(missing_ok=True)
    else:
        write_text(_figures_of(search, row), trial_file(search.name))
    list_trials()


class Experiment(NamedTuple):
    """A finished trial: its row of the search's table, and its values by path."""

    row: "pd.Series[Any]"
    values: Mapping[str, Any]


class Experiments:
    """Makes experiments of a search's trials, of params.yaml as it is now.

    Args:
        search: whose trials they are.

    Raises:
        UserError: there is no commit that they could stand on.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        self._params = PARAMS_FILE.read_text(encoding="utf-8")
        try:
            self._head = ask_git("rev-parse", "--verify", "HEAD").strip()
            self._prefix = ask_git("rev-parse", "--show-prefix").removesuffix("\n")
            self._removed = ask_git("ls-files", "-z", "--", *self._outdated()).split("\0")[:-1]
        except UserError as error:
            raise UserError(f"{error}: {REMEDY}") from None

    def renew(self, trials: Sequence[Experiment]) -> None:
        """Make the experiments of all finished trials, in place of those of this search that are there."""
        place = f"refs/exps/{self._head[:2]}/{self._head[2:]}"
        refs = ask_git("for-each-ref", "--format=%(refname)", place).splitlines()
        own = re.compile(rf"{re.escape(f'{place}/{self._search.name}')}-\d+")
        for ref in {ref for ref in refs if own.fullmatch(ref)} - {self._ref_of(trial) for trial in trials}:
            subprocess.run(["git", "update-ref", "-d", ref], capture_output=True, check=False)
        self.record(trials)

    def record(self, trials: Sequence[Experiment]) -> None:
        """Make the experiments of finished trials, which replace others of their names."""
        self._import([self._commit_of(trial) for trial in trials])

    def _ref_of(self, trial: Experiment) -> str:
        return f"refs/exps/{self._head[:2]}/{self._head[2:]}/{self._search.name}-{trial.row['trial']}"

    def _commit_of(self, trial: Experiment) -> bytes:
        own = trial_file(self._search.name)
        listed = {file.name for file in own.parent.glob("*.json")} | {own.name}
        files = {
            PARAMS_FILE: write_values(self._params, trial.values),
            own: _figures_of(self._search, trial.row),
            DVC_FILE: as_dvc_file(sorted(listed)),
        }
        message = f"Trial {trial.row['trial']} of the search {self._search.name}\n"
        lines = [
            f"commit {self._ref_of(trial)}",
            f"committer {_find_committer()}",
            f"data {len(message.encode())}",
            f"{message}from {self._head}",
        ]
        for path, text in files.items():
            lines += [f"M 100644 inline {self._prefix}{path.as_posix()}", f"data {len(text.encode())}", text]
        lines += [f"D {self._prefix}{removed}" for removed in self._removed]
        return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")

    def _import(self, commands: Sequence[bytes]) -> None:
        done = subprocess.run(
            ["git", "fast-import", "--quiet", "--force"], input=b"".join(commands), capture_output=True, check=False
        )
        if done.returncode:
            reason = " ".join(decode(done.stderr).split())
            print(f"warning: {self._search.name}: no experiment could be made: {reason}", file=sys.stderr)

    def _outdated(self) -> list[str]:
        """Return the committed figures that are of the recipe with other params."""
        recipe = self._search.settings.recipe
        dataset = self._search.params["recipes"][recipe]["dataset"]
        return [f"metrics/{dataset}/{recipe}.json"]


def _figures_of(search: Search, row: "pd.Series[Any]") -> str:
    metric = search.settings.metric
    figures = {name: row[name] for name in ("trial", metric, f"{metric}_std", "epochs", "seconds")}
    plain = {
        name: int(value) if name in ("trial", "epochs") else float(f"{value:.7g}")
        for name, value in figures.items()
        if value is not None and not math.isnan(value)
    }
    return json.dumps(plain, indent=2) + "\n"


def _find_committer() -> str:
    try:
        return ask_git("var", "GIT_COMMITTER_IDENT").strip()
    except UserError:
        return f"{SOMEBODY} {int(time.time())} +0000"
