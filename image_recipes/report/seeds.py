"""Figures over seeds that somebody has measured: how much of them is luck."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from image_recipes.comparison.sentences import Sentence
from image_recipes.core.dataset import DatasetInfo
from image_recipes.results.learning_curve import hash_inputs
from image_recipes.results.predictions import find_positions
from image_recipes.results.seeds import load_seeds, summarize_seeds
from image_recipes.results.tables import format_value

OTHER_INPUTS = "The figures of {recipe} over seeds were measured for other params or pictures. To measure them again:"


class SeedsView(NamedTuple):
    """What the page shows of a recipe over seeds: a row of the table, or why there is none."""

    recipe: str
    row: Mapping[str, str] | None
    told: Sentence | None = None


def view_seeds(
    dataset: str, info: DatasetInfo, recipes: Sequence[str], params: Mapping[str, Any], data_hash: str
) -> list[SeedsView]:
    """Gather the figures over seeds of a dataset's recipes; the arguments are those of `view_searches`.

    Raises:
        UserError: a table is damaged.
    """
    views = []
    for recipe in recipes:
        table = load_seeds(recipe, info.task.metric)
        if table is None:
            continue
        if (table["inputs"] != hash_inputs(params, recipe, data_hash, find_positions(dataset, info, recipe))).any():
            views.append(SeedsView(recipe, None, Sentence(OTHER_INPUTS, {"recipe": recipe})))
            continue
        metric = f"test_{info.task.metric}"
        [figures] = summarize_seeds(table).query("metric == @metric").to_dict("records")
        shown = {str(name): format_value(metric, figures[name]) for name in ("mean", "std", "low", "high")}
        costs = {"seconds": f"{table['seconds'].mean():.1f}", "parameters": f"{table['parameters'].iloc[0]:,}"}
        views.append(SeedsView(recipe, {"seeds": f"{len(table)}", **shown, **costs}))
    return views
