"""What the trials of a search have tried, as figures and the report show it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from image_recipes.core.files import write_text

TABLES_FOLDER = Path("metrics/searches")
# of the trials on this machine, and of logs
SEARCHES_FOLDER = Path("data/searches")
# lists the trials' figures for DVC, which reads every file of this name
DVC_FILE = TABLES_FOLDER / "dvc.yaml"
# a trial this many times as far from the best as the median would press all others together
FAR_OUT = 4.0


class Tried(NamedTuple):
    """What a search has tried of a value.

    Attributes:
        name: of the value, short.
        cells: (trials,), numbers, or texts of a choice.
        log: whether its numbers are spread by their logarithm.
        choices: the texts in order; none of numbers.
    """

    name: str
    cells: np.ndarray
    log: bool
    choices: Sequence[str]

    @property
    def places(self) -> np.ndarray:
        """Where the cells lie on an axis, float64 (trials,)."""
        if self.choices:
            return np.array([self.choices.index(cell) for cell in self.cells], float)
        return self.cells.astype(float)


def choose_ends(figures: np.ndarray, less: bool) -> tuple[float, float]:
    """Choose the ends of the axis of a search's metric: all trials, but those that are far worse than most.

    Args:
        figures: (n,), finite.
        less: whether less is better.
    """
    signed = figures if less else -figures
    best, median = signed.min(), np.median(signed)
    limit = max(best + FAR_OUT * (median - best), best + abs(best) * 1e-3)
    worst = signed[signed <= limit].max()
    pad = 0.05 * (worst - best) or 0.05 * (abs(best) or 1)
    low, high = float(best - pad), float(worst + pad)
    return (low, high) if less else (-high, -low)


def table_file(name: str) -> Path:
    """Return the file of a search's table, which may not be there."""
    return TABLES_FOLDER / f"{name}.csv"


def trial_file(name: str) -> Path:
    """Return the file of the figures of a search's best trial, or in an experiment of that trial."""
    return TABLES_FOLDER / f"{name}.json"


def search_plots(name: str) -> Path:
    """Return the folder of a search's plots."""
    return Path("plots/searches") / name


def list_trials() -> None:
    """List the files of all searches' best trials for DVC; without any, remove the list."""
    written = None
    # again, where another search has written its own meanwhile
    while (names := _list_names()) != written:
        if names:
            write_text(as_dvc_file(names), DVC_FILE)
        else:
            DVC_FILE.unlink(missing_ok=True)
        written = names


def _list_names() -> list[str]:
    return sorted(file.name for file in TABLES_FOLDER.glob("*.json"))


def as_dvc_file(names: Sequence[str]) -> str:
    """Return the text of a dvc.yaml that names files of metrics beside it."""
    listed = "".join(f"- {name}\n" for name in names)
    return f"# the best trial of each search, written by `image-recipes search`\nmetrics:\n{listed}"
