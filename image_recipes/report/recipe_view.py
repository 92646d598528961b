"""What the page shows of a recipe."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from ruamel.yaml import YAML

from image_recipes.core.dataset import Prepared
from image_recipes.core.errors import UserError
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.report.by_task import REPORT
from image_recipes.report.charts import Chart
from image_recipes.report.pictures import encode_picture
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.metrics import Metrics
from image_recipes.results.names import MAX_NAMED_CLASSES

WORST_SHOWN = 12


class RecipeView(NamedTuple):
    """What the page shows of a recipe."""

    name: str
    metrics: Metrics
    charts: list[Chart]
    parts: pd.DataFrame
    worst: list[dict[str, Any]]
    params: str
    summary: str
    model_hash: str


def view_recipe(
    name: str,
    prepared: Prepared,
    metrics: Metrics,
    predictions: pd.DataFrame,
    parts: pd.DataFrame,
    params: dict[str, Any],
) -> RecipeView:
    """Gather what the page shows of a recipe, from its test predictions and the rows of the breakdown that are its."""
    task = prepared.info.task
    worst = EVALUATION[task].rank_errors(predictions).head(WORST_SHOWN)
    return RecipeView(
        name=name,
        metrics=metrics,
        charts=REPORT[task].chart_predictions(name, predictions, prepared.info),
        parts=parts if len(parts) <= MAX_NAMED_CLASSES else REPORT[task].order_parts(parts),
        worst=[
            {
                "image": encode_picture(prepared.images[row["index"]]),
                **{key: row[key] for key in ("real", "predicted", "loss")},
            }
            for row in worst.to_dict("records")
        ],
        params=_dump_params(name, params),
        summary=_read_model(name, "txt", lambda file: file.read_text("utf-8")),
        model_hash=_read_model(name, "keras", hash_as_dvc),
    )


def _read_model(recipe: str, ending: str, read: Callable[[Path], str]) -> str:
    file = Path(f"models/{recipe}.{ending}")
    try:
        return read(file)
    except OSError:
        raise UserError(f"{file}: missing: make it by `dvc repro train@{recipe}`") from None


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
