"""What the page shows of a recipe."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from ruamel.yaml import YAML

from image_recipes.comparison.sentences import Sentence
from image_recipes.core.dataset import Prepared
from image_recipes.core.errors import UserError
from image_recipes.core.tasks import Task
from image_recipes.report.by_task import REPORT
from image_recipes.report.charts import Chart
from image_recipes.report.heatmaps import load_overlays
from image_recipes.report.trust import tell_strange
from image_recipes.report.worst import WorstErrors, view_worst
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.metrics import Metrics
from image_recipes.results.names import MAX_NAMED_CLASSES


class RecipeView(NamedTuple):
    """What the page shows of a recipe."""

    name: str
    metrics: Metrics
    charts: list[Chart]
    parts: pd.DataFrame
    worst: WorstErrors
    params: str
    summary: str
    model_hash: str
    sure: Sequence[Sentence] = ()


def view_recipe(
    name: str,
    prepared: Prepared,
    metrics: Metrics,
    predictions: Mapping[str, pd.DataFrame],
    parts: pd.DataFrame,
    params: dict[str, Any],
) -> RecipeView:
    """Gather what the page shows of a recipe, from its predictions by split and its rows of the breakdown."""
    task = prepared.info.task
    overlays = load_overlays(params["recipes"][name]["dataset"], name, prepared.images)
    return RecipeView(
        name=name,
        metrics=metrics,
        charts=REPORT[task].chart_predictions(name, predictions["test"], prepared.info),
        parts=parts if len(parts) <= MAX_NAMED_CLASSES else REPORT[task].order_parts(parts),
        worst=view_worst(prepared, predictions["test"], predictions["train"], overlays),
        params=_dump_params(name, params),
        summary=_read_model(name, "txt", lambda file: file.read_text("utf-8")),
        model_hash=_read_model(name, "keras", hash_as_dvc),
        sure=_tell_sure(task, metrics, predictions["test"]),
    )


def _tell_sure(task: Task, metrics: Metrics, test: pd.DataFrame) -> list[Sentence]:
    told = REPORT[task].tell_coverage(metrics, len(test)), tell_strange(test)
    return [sentence for sentence in told if sentence]


def _read_model(recipe: str, ending: str, read: Callable[[Path], str]) -> str:
    file = Path(f"models/{recipe}.{ending}")
    try:
        return read(file)
    except (OSError, ValueError):
        raise UserError(f"{file}: missing or damaged: make it by `dvc repro train@{recipe}`") from None


def _dump_params(recipe: str, params: dict[str, Any]) -> str:
    section = params["recipes"][recipe]
    dataset, architecture = section["dataset"], section["architecture"]
    values = {
        "seed": params["seed"],
        "datasets": {dataset: params["datasets"][dataset]},
        "recipes": {recipe: section},
        "architectures": {architecture: params["architectures"][architecture]},
    }
    stream = io.StringIO()
    yaml = YAML()
    yaml.representer.sort_base_mapping_type_on_output = False
    yaml.dump(values, stream)
    return stream.getvalue()
