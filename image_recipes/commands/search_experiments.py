"""A search's trials as DVC's experiments, made by Git alone: no stage runs, and no file of the workspace changes.

What an experiment of DVC is: a commit on the one that is checked out, at `refs/exps/<its hash>/<name>`.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import pandas as pd

from image_recipes.commands.search_apply import write_values
from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text
from image_recipes.core.params import PARAMS_FILE
from image_recipes.results.searches import DVC_FILE, list_trials, trial_file
from image_recipes.search.settings import Search

# of the commits, where Git knows nobody
SOMEBODY = "image-recipes <image-recipes@localhost>"


def write_trial(search: Search, row: "pd.Series[Any]") -> None:
    """Write the figures of a search's best trial, and list the file for DVC."""
    write_text(_figures_of(search, row), trial_file(search.name))
    list_trials()


class Experiments:
    """Makes experiments of a search's trials.

    Args:
        search: whose trials they are.

    Raises:
        UserError: there is no commit that they could stand on.
    """

    def __init__(self, search: Search) -> None:
        self._search = search
        remedy = "commit first, or leave experiments out by --no-experiments"
        self._head = _ask_git(remedy, "rev-parse", "--verify", "HEAD")
        self._prefix = _ask_git(remedy, "rev-parse", "--show-prefix")
        tracked = _ask_git(remedy, "ls-files", "--", *self._outdated())
        self._removed = tracked.splitlines()

    def record(self, row: "pd.Series[Any]", values: Mapping[str, Any]) -> None:
        """Make the experiment of a finished trial, which replaces one of its name.

        Args:
            row: of the search's table.
            values: by path.
        """
        name = f"{self._search.name}-{row['trial']}"
        ref = f"refs/exps/{self._head[:2]}/{self._head[2:]}/{name}"
        files = {
            PARAMS_FILE: write_values(PARAMS_FILE.read_text(encoding="utf-8"), values),
            trial_file(self._search.name): _figures_of(self._search, row),
            DVC_FILE: DVC_FILE.read_text(encoding="utf-8"),
        }
        message = f"Trial {row['trial']} of the search {self._search.name}\n".encode()
        stream = f"commit {ref}\ncommitter {_find_committer()}\ndata {len(message)}\n".encode() + message
        stream += f"from {self._head}\n".encode()
        for path, text in files.items():
            content = text.encode()
            stream += (
                f"M 100644 inline {self._prefix}{path.as_posix()}\ndata {len(content)}\n".encode() + content + b"\n"
            )
        for removed in self._removed:
            stream += f"D {self._prefix}{removed}\n".encode()
        done = subprocess.run(
            ["git", "fast-import", "--quiet", "--force"], input=stream, capture_output=True, check=False
        )
        if done.returncode:
            reason = " ".join(done.stderr.decode(errors="replace").split())
            print(f"warning: {name}: no experiment could be made: {reason}", file=sys.stderr)

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
    done = subprocess.run(["git", "var", "GIT_COMMITTER_IDENT"], capture_output=True, text=True, check=False)
    return f"{SOMEBODY} {int(time.time())} +0000" if done.returncode else done.stdout.strip()


def _ask_git(remedy: str, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise UserError(f"git: {error.strerror}: {remedy}") from None
    if done.returncode:
        raise UserError(f"git: {' '.join(done.stderr.split())}: {remedy}")
    return done.stdout.strip()
