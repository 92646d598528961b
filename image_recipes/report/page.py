"""The report: one page on all recipes, which needs nothing beside itself."""

import base64
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
import pandas as pd
import vl_convert
from markupsafe import Markup
from PIL import Image
from ruamel.yaml import YAML

from image_recipes.comparison.sentences import Sentence
from image_recipes.comparison.verdict import Outcome, Verdict, choose_best, judge_recipes
from image_recipes.core.dataset import DatasetInfo, Prepared, load_prepared
from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text
from image_recipes.core.params import read_params, read_yaml
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.report.by_task import REPORT, ReportOfTask
from image_recipes.report.charts import Chart, chart_errors, chart_histories, epoch_step
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.history import load_history
from image_recipes.results.metrics import Metrics, load_baseline_metrics, load_metrics
from image_recipes.results.names import MAX_NAMED_CLASSES, show_name
from image_recipes.results.predictions import load_baselines, load_predictions
from image_recipes.results.tables import BASELINE, format_value, load_table

TEMPLATES = Path(__file__).parent / "templates"
WORST_SHOWN = 12
# in pixels; larger pictures are made smaller, as JPEG
MAX_SHOWN_SIDE = 128
ERRORS_CAPTION = "Test error with its 95 % interval (diamonds: published)"
SUMMARY = "Best on the validation pictures: {recipe}. It is {figure}."
JUDGED_SUMMARY = "Best on the validation pictures: {recipe}. It is {figure}, {judgement}."
WHAT_NEXT = "What to look at next: docs/judging.md, “When nothing was learned”."
VEGA_SCRIPT = "window.vegaEmbed = vegaEmbed;"


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


class DatasetView(NamedTuple):
    """What the page shows of a dataset."""

    name: str
    info: DatasetInfo
    texts: ReportOfTask
    introduction: Sentence
    summary: Sentence
    next_step: Sentence | None
    floor: Sentence | None
    data_hash: str
    table: pd.DataFrame
    best: str
    pairs: list[dict[Any, Any]]
    charts: list[Chart]
    recipes: list[RecipeView]


def load_recipe_names(datasets: Iterable[str]) -> dict[str, list[str]]:
    """Load the names of all recipes of each dataset.

    Raises:
        UserError: the stage `check` has not run.
    """
    names = {}
    for dataset in datasets:
        file = Path(f"data/checked/{dataset}.txt")
        try:
            names[dataset] = file.read_text("utf-8").split()
        except OSError:
            raise UserError(f"{file}: missing: make it by `dvc repro compare@{dataset}`") from None
    return names


def write_report(recipes: Mapping[str, list[str]], file: Path) -> None:
    """Write the report as one HTML file, whole or not at all.

    Args:
        recipes: the names of all recipes of each dataset to show; the stage `compare` has run
            for it.
        file: the page to write.

    Raises:
        UserError: something is missing or damaged, with the stage that makes it.
    """
    params = read_params()
    write_text(render([view_dataset(name, names, params) for name, names in recipes.items()]), file)


def render(datasets: list[DatasetView]) -> str:
    """Render the page; all texts from data are escaped."""
    korean = read_yaml(TEMPLATES / "korean.yaml")

    def fill(text: str, values: Mapping[str, Any], translate: Callable[[str], str]) -> Markup:
        parts = {
            name: fill(value.text, value.values, translate) if isinstance(value, Sentence) else value
            for name, value in values.items()
        }
        return Markup(translate(text)).format(**parts)

    def both(text: str, **values: Any) -> Markup:
        # the page shows one of them
        return Markup('<span lang="en">{}</span><span lang="ko">{}</span>').format(
            fill(text, values, str), fill(text, values, lambda english: korean["page"][english])
        )

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"both": both, "format_value": format_value, "show_name": show_name}
    environment.globals |= {"BASELINE": BASELINE, "MAX_NAMED_CLASSES": MAX_NAMED_CLASSES}
    page = environment.get_template("report.html.jinja")
    script = vl_convert.javascript_bundle(VEGA_SCRIPT).replace("</script", "<\\/script")
    return page.render(datasets=datasets, script=Markup(script), chart_translations=korean["charts"]) + "\n"


def view_dataset(name: str, recipes: list[str], params: dict[str, Any]) -> DatasetView:
    """Gather what the page shows of a dataset, from what the stages have written with these params."""
    folder = Path("data/prepared") / name
    prepared = load_prepared(folder)
    info = prepared.info
    metrics = load_metrics(Path("metrics") / name, recipes)
    baseline_metrics = load_baseline_metrics(Path("metrics/baseline") / name)
    predictions = {recipe: load_predictions(Path(f"data/predictions/{name}/{recipe}.csv"), info) for recipe in recipes}
    histories = {recipe: load_history(Path(f"plots/history/{name}/{recipe}.csv")) for recipe in recipes}
    table = load_table(Path(f"metrics/compare/{name}.csv"), name)
    pairs = load_table(Path(f"metrics/compare/pairs/{name}.csv"), name)
    parts = load_table(Path(f"metrics/compare/breakdown/{name}.csv"), name)
    texts, best = REPORT[info.task], choose_best(info.task, metrics)
    baselines = load_baselines(Path("data/baselines") / name, info)
    verdict = judge_recipes(info, metrics, baseline_metrics, baselines, pairs)[best]
    return DatasetView(
        name=name,
        info=info,
        texts=texts,
        introduction=texts.introduce(len(predictions[best]), info),
        summary=_sum_up(best, verdict),
        next_step=Sentence(WHAT_NEXT) if verdict.outcome is Outcome.NOTHING else None,
        floor=texts.floor(baseline_metrics),
        data_hash=hash_as_dvc(folder),
        table=table,
        best=best,
        pairs=pairs.fillna({"better": ""}).to_dict("records"),
        charts=[
            Chart(f"{name}-errors", chart_errors(info.task, texts.error_title, table), ERRORS_CAPTION),
            *(_view_curves(name, histories, column, *titles) for column, titles in texts.curves.items()),
        ],
        recipes=[
            _view_recipe(
                recipe,
                prepared,
                metrics[recipe],
                predictions[recipe],
                parts[parts["recipe"] == recipe].drop(columns="recipe"),
                _dump_params(recipe, params),
            )
            for recipe in recipes
        ],
    )


def _view_curves(dataset: str, histories: Mapping[str, pd.DataFrame], column: str, caption: str, title: str) -> Chart:
    if any(epoch_step(history) > 1 for history in histories.values()):
        caption += " (some, at equal distances)"
    return Chart(f"{dataset}-{column}", chart_histories(histories, column, title), caption)


def _sum_up(recipe: str, verdict: Verdict) -> Sentence:
    values = {"recipe": recipe, "figure": verdict.figure, "judgement": verdict.judgement}
    return Sentence(JUDGED_SUMMARY if verdict.judgement else SUMMARY, values)


def _view_recipe(
    name: str, prepared: Prepared, metrics: Metrics, predictions: pd.DataFrame, parts: pd.DataFrame, params: str
) -> RecipeView:
    task = prepared.info.task
    worst = EVALUATION[task].rank_errors(predictions).head(WORST_SHOWN)
    return RecipeView(
        name=name,
        metrics=metrics,
        charts=REPORT[task].chart_predictions(name, predictions, prepared.info),
        parts=parts if len(parts) <= MAX_NAMED_CLASSES else REPORT[task].order_parts(parts),
        worst=[
            {
                "image": _data_uri(prepared.images[row["index"]]),
                **{key: row[key] for key in ("real", "predicted", "loss")},
            }
            for row in worst.to_dict("records")
        ],
        params=params,
        summary=_read_model(name, "txt", lambda file: file.read_text("utf-8")),
        model_hash=_read_model(name, "keras", hash_as_dvc),
    )


def _read_model(recipe: str, ending: str, read: Callable[[Path], str]) -> str:
    file = Path(f"models/{recipe}.{ending}")
    try:
        return read(file)
    except OSError:
        raise UserError(f"{file}: missing: make it by `dvc repro train@{recipe}`") from None


def _data_uri(picture: np.ndarray) -> str:
    image = Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture)
    kind = "PNG" if max(image.size) <= MAX_SHOWN_SIDE // 2 else "JPEG"
    image.thumbnail((MAX_SHOWN_SIDE, MAX_SHOWN_SIDE))
    stream = io.BytesIO()
    image.save(stream, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


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
