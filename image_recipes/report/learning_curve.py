"""The report's end: would more pictures help, and which?"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from image_recipes.comparison.learning_curve import choose_range, judge_curve, summarize_curve
from image_recipes.comparison.sentences import Sentence
from image_recipes.core.dataset import DatasetInfo
from image_recipes.report.charts import Chart, chart_learning_curve
from image_recipes.results.learning_curve import hash_inputs, load_curve
from image_recipes.results.predictions import find_positions

CAPTION = "{recipe} on the validation pictures, over how many pictures it has learned from (points: single trainings)"
OTHER_INPUTS = "The learning curve of {recipe} was made for other params or pictures. To measure it again:"


class CurveView(NamedTuple):
    """What the page shows of a recipe's learning curve; no chart, if it was made for other params or pictures."""

    recipe: str
    told: Sequence[Sentence]
    chart: Chart | None


def view_curves(
    dataset: str, info: DatasetInfo, recipes: Sequence[str], params: dict[str, Any], data_hash: str
) -> list[CurveView]:
    """Gather the learning curves that somebody has asked for.

    Args:
        dataset: its name.
        info: of the dataset.
        recipes: all of it.
        params: of params.yaml.
        data_hash: of the prepared dataset.

    Raises:
        UserError: a curve is damaged.
    """
    views = []
    for recipe in recipes:
        table = load_curve(recipe, info.task.metric)
        if table is None:
            continue
        splits = find_positions(dataset, info, recipe)
        if (table["inputs"] != hash_inputs(params, recipe, data_hash, splits)).any():
            views.append(CurveView(recipe, [Sentence(OTHER_INPUTS, {"recipe": recipe})], None))
            continue
        means = summarize_curve(info.task, table)
        spec = chart_learning_curve(table, means, info.task.metric, choose_range(info.task, table))
        chart = Chart(f"{recipe}-learning-curve", spec, CAPTION, {"recipe": recipe})
        views.append(CurveView(recipe, judge_curve(info.task, table), chart))
    return views
