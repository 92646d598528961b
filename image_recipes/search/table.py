"""The table of a search: a row for each trial, in the order in which they began."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from image_recipes.core.errors import show_value
from image_recipes.core.loading import Kind, load_table, loading
from image_recipes.results.searches import Tried, table_file
from image_recipes.search.definition import Definition
from image_recipes.search.settings import Range, SearchSettings

FINISHED, STOPPED, FAILED = "finished", "stopped early", "failed"
STATES = (FINISHED, STOPPED, FAILED)
LONGEST_VALUE = 24


def as_row(
    number: int,
    state: str,
    values: Mapping[str, Any],
    settings: SearchSettings,
    figures: Mapping[str, Any],
    notes: Mapping[str, Any],
) -> dict[str, Any]:
    """Make a row.

    Args:
        number: of the trial, from 1.
        state: one of `STATES`.
        values: by path.
        settings: of the search.
        figures: the metric, its sample standard deviation over seeds, the model's parameters, epochs and seconds.
        notes: the digest of what the trial depends on, the commit, and the reason of a failure.
    """
    # of choices the text, so that 1.0 beside 1 or 0.00012345678 is the same in a file
    cells = {
        path: value if isinstance(settings.space[path], Range) else as_text(value) for path, value in values.items()
    }
    return {"trial": number, "state": state, **cells, **figures, **notes}


def load_trials(name: str, settings: SearchSettings) -> pd.DataFrame | None:
    """Read the table of a search.

    Args:
        name: the search's.
        settings: of it.

    Returns:
        `trial`, `state`, a column for each path, as texts, the metric and its `_std`, `parameters`, `epochs`,
        `seconds`, `inputs`, `commit`, `reason`; None if there is none, or it has other paths or another metric.

    Raises:
        UserError: it is damaged.
    """
    file = table_file(name)
    if not file.exists():
        return None
    columns: dict[str, Kind] = {"trial": "count", "epochs": "count", "seconds": "number"}
    columns |= dict.fromkeys(("state", "inputs", "commit"), "text")
    with loading(file, f"delete it, and make it again by `image-recipes search {name}`"):
        texts = dict.fromkeys([*settings.space, "reason"], str)
        # of a trial that has none
        missing = {settings.metric: [""], "parameters": [""]}
        table = load_table(file, columns, keep_default_na=False, na_values=missing, dtype=texts)
        if not set(table["state"]) <= set(STATES):
            raise ValueError("a state is none of " + ", ".join(STATES))
    wanted = [*settings.space, settings.metric, f"{settings.metric}_std", "parameters"]
    return table if all(column in table for column in wanted) else None


def values_of(row: "pd.Series[Any]", settings: SearchSettings) -> dict[str, Any]:
    """Return the values of a row, by path, as they stand in params.yaml.

    Raises:
        ValueError: a cell holds none of the space.
    """
    return {path: _from_cell(str(row[path]), space) for path, space in settings.space.items()}


def find_best(table: pd.DataFrame, definition: Definition) -> int | None:
    """Return the place of the best finished trial in a table; the first of equals; None without one."""
    settings = definition.search.settings
    figures = table[settings.metric].where(table["state"] == FINISHED).to_numpy(float)
    if np.isnan(figures).all():
        return None
    return int(np.nanargmin(figures) if definition.direction == "min" else np.nanargmax(figures))


def is_current(table: pd.DataFrame, definition: Definition) -> bool:
    """Tell whether a table's trials would have the same figures with the params and pictures that there are now."""
    settings = definition.search.settings
    try:
        return all(row["inputs"] == definition.key_of(values_of(row, settings)) for _, row in table.iterrows())
    except ValueError:
        return False


def show_values(values: Mapping[str, Any]) -> str:
    """Show a trial's values in a line, each by the end of its path.

    >>> show_values({"recipes.net.epochs": 3, "recipes.net.optimizer.learning_rate": 0.01})
    'epochs 3, learning_rate 0.01'
    >>> show_values({"architectures.a[0].Conv2D.filters": 6, "architectures.a[2].Conv2D.filters": 12})
    'a[0].Conv2D.filters 6, a[2].Conv2D.filters 12'
    """
    names = list_names([*values])
    return ", ".join(f"{names[path]} {_show(value)}" for path, value in values.items())


def list_names(paths: Sequence[str]) -> dict[str, str]:
    """Return the shortest ends of paths that tell them apart.

    >>> list_names(["recipes.net.epochs", "architectures.a[0].Dense.units", "architectures.a[1].Dense.units"])
    {'recipes.net.epochs': 'epochs', 'architectures.a[0].Dense.units': 'a[0].Dense.units', \
'architectures.a[1].Dense.units': 'a[1].Dense.units'}
    """
    names = {}
    for path in paths:
        parts = path.split(".")
        ends = (".".join(parts[-count:]) for count in range(1, len(parts) + 1))
        names[path] = next(
            end for end in ends if not any(other != path and f".{other}".endswith(f".{end}") for other in paths)
        )
    return names


def list_tried(table: pd.DataFrame, settings: SearchSettings) -> list[Tried]:
    """List what was tried of each value, as figures show it."""
    names, tried = list_names([*settings.space]), []
    for path, space in settings.space.items():
        texts = [] if isinstance(space, Range) else [as_text(value) for value in space]
        cells = table[path].astype(str).to_numpy() if texts else table[path].to_numpy()
        tried.append(Tried(names[path], cells, isinstance(space, Range) and space.log, texts))
    return tried


def list_costs(table: pd.DataFrame) -> list[Tried]:
    """List what the trials have cost, as figures show it: parameters, if they differ, and seconds."""
    costs = []
    if table["parameters"].nunique() > 1:
        costs.append(Tried("parameters", table["parameters"].to_numpy(float, na_value=np.nan), True, ()))
    return [*costs, Tried("seconds, all seeds", table["seconds"].to_numpy(float), False, ())]


def _show(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST_VALUE else show_value(value)


def as_text(value: Any) -> str:
    """Return a choice as a table has it: a word as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _from_cell(cell: str, space: Range | list[Any]) -> Any:
    if isinstance(space, Range):
        return int(cell) if space.whole else float(cell)
    for value in space:
        if as_text(value) == cell:
            return value
    raise ValueError(f"{cell!r} is not in the space")
