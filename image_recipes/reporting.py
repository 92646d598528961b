"""The report: one page on all recipes, which needs nothing beside itself."""

import base64
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
import pandas as pd
import vl_convert
from markupsafe import Markup
from PIL import Image
from ruamel.yaml import YAML

from image_recipes.charts import (
    choose_points,
    draw_calibration,
    draw_confusion,
    draw_curves,
    draw_errors,
    draw_residuals,
    epoch_step,
)
from image_recipes.comparison import BASELINE, COLUMNS, format_value, load_table
from image_recipes.datasets import DatasetInfo, Prepared, load_prepared
from image_recipes.errors import UserError
from image_recipes.files import write_text
from image_recipes.histories import load_history
from image_recipes.inspection import calibrate, find_worst
from image_recipes.metrics import Metrics, load_baseline_metrics, load_metrics
from image_recipes.params import read_params, read_yaml
from image_recipes.predictions import load_predictions

TEMPLATES = Path(__file__).parent / "templates"
WORST = 12
# of a picture among the worst, in pixels; larger ones are made smaller, as JPEG
MAX_PICTURE_SIDE = 128
# the columns of a history that are drawn
CURVES = {"classification": ["accuracy", "loss"], "regression": ["loss"]}
CAPTIONS = {"accuracy": "Accuracy over the epochs", "loss": "Loss over the epochs"}
ERRORS_CAPTION = "Test error with its 95 % interval (diamonds: published)"
CALIBRATION_CAPTION = "Confidence and accuracy (on the dashed line: as often right as it says)"
SCRIPT = "window.vegaEmbed = vegaEmbed;"


class Chart(NamedTuple):
    """A chart: the id of its place, its specification, and what is said above it, with values to fill in."""

    id: str
    spec: dict[str, Any]
    caption: str
    values: dict[str, str]


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
    pictures: int
    data_hash: str
    table: pd.DataFrame
    best: str
    expected_mse: float | None
    verdicts: list[dict[Any, Any]]
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

    def both(text: str, **values: Any) -> Markup:
        # the page shows one of them
        english, other = Markup(text).format(**values), Markup(korean["page"][text]).format(**values)
        return Markup('<span lang="en">{}</span><span lang="ko">{}</span>').format(english, other)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"both": both, "format_value": format_value, "COLUMNS": COLUMNS, "BASELINE": BASELINE}
    page = environment.get_template("report.html.jinja")
    script = vl_convert.javascript_bundle(SCRIPT).replace("</script", "<\\/script")
    return page.render(datasets=datasets, script=Markup(script), words=korean["charts"]) + "\n"


def view_dataset(name: str, recipes: list[str], params: dict[str, Any]) -> DatasetView:
    """Gather what the page shows of a dataset, from what the stages have written with these params."""
    folder = Path("data/prepared") / name
    prepared = load_prepared(folder)
    info = prepared.info
    metrics = load_metrics(Path("metrics") / name, recipes)
    baselines = load_baseline_metrics(Path("metrics/baseline") / name)
    predictions = {
        recipe: load_predictions(Path(f"data/predictions/{name}/{recipe}.csv"), info.classes) for recipe in recipes
    }
    histories = {recipe: load_history(Path(f"plots/history/{name}/{recipe}.csv")) for recipe in recipes}
    table = load_table(Path(f"metrics/compare/{name}.csv"), name)
    verdicts = load_table(Path(f"metrics/compare/pairs/{name}.csv"), name)
    parts = load_table(Path(f"metrics/compare/breakdown/{name}.csv"), name)
    return DatasetView(
        name=name,
        info=info,
        pictures=len(next(iter(predictions.values()))),
        data_hash=_hash_folder(folder),
        table=table,
        best=_best(info.task, metrics),
        expected_mse=baselines.get("best_possible", {}).get("expected_mse"),
        verdicts=verdicts.fillna({"better": ""}).to_dict("records"),
        charts=[
            Chart(f"{name}-errors", draw_errors(info.task, table), ERRORS_CAPTION, {}),
            *(_view_curves(name, info.task, histories, column) for column in CURVES[info.task]),
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


def _view_curves(dataset: str, task: str, histories: Mapping[str, pd.DataFrame], column: str) -> Chart:
    caption = CAPTIONS[column]
    if any(epoch_step(history) > 1 for history in histories.values()):
        caption += " (some, at equal distances)"
    return Chart(f"{dataset}-{column}", draw_curves(task, histories, column), caption, {})


def _best(task: str, metrics: Mapping[str, Metrics]) -> str:
    # by validation: the test is for the end
    if task == "classification":
        return max(metrics, key=lambda name: _known(metrics[name]["val_accuracy"], 0.0))
    return min(metrics, key=lambda name: _known(metrics[name]["val_mse"], np.inf))


def _known(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _view_recipe(
    name: str, prepared: Prepared, metrics: Metrics, predictions: pd.DataFrame, parts: pd.DataFrame, params: str
) -> RecipeView:
    info = prepared.info
    if info.classes is not None:
        charts = [
            Chart(f"{name}-confusion", draw_confusion(predictions, info.classes), "Confusion matrix", {}),
            Chart(f"{name}-calibration", draw_calibration(calibrate(predictions)), CALIBRATION_CAPTION, {}),
        ]
    else:
        shown = choose_points(predictions)
        caption = "Residuals" if len(shown) == len(predictions) else "Residuals (of {n} pictures, evenly chosen)"
        charts = [Chart(f"{name}-residuals", draw_residuals(shown, info.unit), caption, {"n": f"{len(shown):,}"})]
    worst = find_worst(info.task, predictions, WORST)
    return RecipeView(
        name=name,
        metrics=metrics,
        charts=charts,
        parts=parts,
        worst=[
            {
                "image": _data_uri(prepared.images[row["index"]]),
                **{key: row[key] for key in ("real", "predicted", "loss")},
            }
            for row in worst.to_dict("records")
        ],
        params=params,
        summary=_read_model(name, "txt").decode(),
        model_hash=hashlib.md5(_read_model(name, "keras"), usedforsecurity=False).hexdigest(),
    )


def _read_model(recipe: str, ending: str) -> bytes:
    file = Path(f"models/{recipe}.{ending}")
    try:
        return file.read_bytes()
    except OSError:
        raise UserError(f"{file}: missing: make it by `dvc repro train@{recipe}`") from None


def _data_uri(picture: np.ndarray) -> str:
    image = Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture)
    kind = "PNG" if max(image.size) <= MAX_PICTURE_SIDE // 2 else "JPEG"
    image.thumbnail((MAX_PICTURE_SIDE, MAX_PICTURE_SIDE))
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


def _hash_folder(folder: Path) -> str:
    """Return the hash by which DVC knows a folder: of the hashes and names of its files."""
    entries = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as content:
            md5 = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        entries.append({"md5": md5, "relpath": file.relative_to(folder).as_posix()})
    listed = json.dumps(entries, sort_keys=True).encode()
    return hashlib.md5(listed, usedforsecurity=False).hexdigest() + ".dir"
