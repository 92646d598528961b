"""Showing how far a search is: a bar on a terminal, a line for each trial elsewhere, and all lines in a log file."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
from tqdm import tqdm

from image_recipes.search.settings import SearchSettings
from image_recipes.search.table import FAILED, FINISHED, STOPPED, show_values, values_of


class SearchProgress:
    """Tells of trials that end.

    Args:
        name: the search's.
        settings: of it.
        known: trials that are finished before it begins.
        log: where each trial's line is added.
    """

    def __init__(self, name: str, settings: SearchSettings, known: Sequence[object], log: Path) -> None:
        self._name, self._settings, self._log = name, settings, log
        self._known, self._started = len(known), time.monotonic()

    def __enter__(self) -> "SearchProgress":
        self._bar = tqdm(
            total=self._settings.trials,
            initial=self._known,
            desc=self._name,
            unit="trial",
            disable=None,
            dynamic_ncols=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def tell(self, row: "pd.Series[Any]", table: pd.DataFrame, best: int | None) -> None:
        """Tell of a trial that has ended.

        Args:
            row: its own.
            table: of all that have.
            best: the place of the best in the table; None without one.
        """
        settings, done = self._settings, len(table)
        states = table["state"].value_counts()
        count = [f"{states[state]} {state}" for state in (STOPPED, FAILED) if state in states]
        figure = "" if best is None else f"best {settings.metric}={table[settings.metric].iloc[best]:.5g}"
        so_far = ", ".join(filter(None, [figure, *count]))
        left = (time.monotonic() - self._started) / (done - self._known) * (settings.trials - done)
        values = show_values(values_of(row, settings))
        line = (
            f"{self._name}: trial {row['trial']}/{settings.trials}: {values}: {self._say(row)} "
            f"({so_far}{', ' if so_far else ''}{tqdm.format_interval(max(0, left))} left)"
        )
        with self._log.open("a", encoding="utf-8") as log:
            print(f"{time.strftime('%F %T')} {line}", file=log)
        self._bar.set_postfix_str(so_far, refresh=False)
        self._bar.update()
        if self._bar.disable:
            print(line, file=sys.stderr, flush=True)

    def _say(self, row: "pd.Series[Any]") -> str:
        metric = self._settings.metric
        if row["state"] == FINISHED:
            spread = row[f"{metric}_std"]
            return f"{metric}={row[metric]:.5g}" + (f" ± {spread:.2g}" if pd.notna(spread) else "")
        if row["state"] == STOPPED:
            return f"{STOPPED}, in epoch {row['epochs']}"
        return f"{FAILED}: {row['reason']}"
