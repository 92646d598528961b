"""The searches that somebody has made: the best params, and what was tried."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from image_recipes.comparison.sentences import Sentence
from image_recipes.core.dataset import DatasetInfo
from image_recipes.report.charts import Chart, chart_search, chart_tried
from image_recipes.results.predictions import find_positions
from image_recipes.search.definition import define, digest_data
from image_recipes.search.settings import SECTION, load_search
from image_recipes.search.table import (
    FAILED,
    FINISHED,
    STOPPED,
    find_best,
    is_current,
    list_tried,
    load_trials,
    show_values,
    values_of,
)

TRIED = (
    "Of {trials} trials of {recipe} with other values, {finished} came to their end, {stopped} were stopped early "
    "and {failed} failed. They were compared by {metric} of the validation pictures."
)
BEST = "The best one, trial {trial}, has {metric} {figure}, with {values}."
OTHER_INPUTS = "The search {search} was made for other params or pictures. To go on with it:"
HISTORY = "Trials of the search {search} in their order (line: the best so far)"
SLICE = "What was tried of {value}"


class SearchView(NamedTuple):
    """What the page shows of a search; no charts, if it was made for other params or pictures."""

    name: str
    told: Sequence[Sentence]
    charts: Sequence[Chart] = ()


def view_searches(
    dataset: str, info: DatasetInfo, recipes: Sequence[str], params: Mapping[str, Any], data_hash: str
) -> list[SearchView]:
    """Gather the searches of a dataset's recipes that somebody has made.

    Args:
        dataset: its name.
        info: of the dataset.
        recipes: all of it.
        params: of params.yaml.
        data_hash: of the prepared dataset.

    Raises:
        UserError: a table is damaged.
    """
    views = []
    for name in params.get(SECTION, {}):
        search = load_search(name, dict(params))
        settings = search.settings
        if settings.recipe not in recipes:
            continue
        table = load_trials(name, settings)
        if table is None or table.empty:
            continue
        splits = find_positions(dataset, info, settings.recipe)
        definition = define(search, info.task, digest_data(data_hash, splits["train"], splits["validation"]))
        place = find_best(table, definition)
        if place is None:
            continue
        if not is_current(table, definition):
            views.append(SearchView(name, [Sentence(OTHER_INPUTS, {"search": name})]))
            continue
        best, metric, less = table.iloc[place], settings.metric, definition.direction == "min"
        states = table["state"].value_counts()
        counts = {key: int(states.get(state, 0)) for key, state in COUNTED.items()}
        values = show_values(values_of(best, settings))
        told = [
            Sentence(TRIED, {"trials": len(table), "recipe": settings.recipe, "metric": metric, **counts}),
            Sentence(
                BEST, {"trial": best["trial"], "metric": metric, "figure": f"{best[metric]:.5g}", "values": values}
            ),
        ]
        charts = [Chart(f"search-{name}", chart_search(table[metric], metric, less), HISTORY, {"search": name})]
        for number, tried in enumerate(list_tried(table, settings)):
            spec = chart_tried(tried, table[metric], metric, less)
            charts.append(Chart(f"search-{name}-{number}", spec, SLICE, {"value": tried.name}))
        views.append(SearchView(name, told, charts))
    return views


COUNTED = {"finished": FINISHED, "stopped": STOPPED, "failed": FAILED}
