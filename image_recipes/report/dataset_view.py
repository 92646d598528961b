"""What the page shows of a dataset, gathered from what the stages have written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from image_recipes.comparison.sentences import Sentence
from image_recipes.comparison.verdict import Outcome, Verdict, choose_best, judge_recipes
from image_recipes.core.dataset import DatasetInfo, load_prepared
from image_recipes.report.by_task import REPORT, ReportOfTask
from image_recipes.report.charts import Chart, chart_errors, chart_histories, epoch_step
from image_recipes.report.heatmaps import load_overlays
from image_recipes.report.learning_curve import CurveView, view_curves
from image_recipes.report.recipe_view import RecipeView, view_recipe
from image_recipes.report.searches import SearchView, view_searches
from image_recipes.report.seeds import SeedsView, view_seeds
from image_recipes.report.suspects import SuspectsView, view_suspects
from image_recipes.results.hashes import hash_as_dvc
from image_recipes.results.history import load_history
from image_recipes.results.metrics import load_baseline_metrics, load_metrics
from image_recipes.results.predictions import load_baselines, load_predictions
from image_recipes.results.tables import PAIR_COLUMNS, load_table

ERRORS_CAPTION = "Test error with its 95 % interval (diamonds: published)"
SUMMARY = "Best on the validation pictures: {recipe}. It is {figure}."
JUDGED_SUMMARY = "Best on the validation pictures: {recipe}. It is {figure}, {judgement}."
WHAT_NEXT = "What to look at next: docs/judging.md, “When nothing was learned”."


class DatasetView(NamedTuple):
    """What the page shows of a dataset."""

    name: str
    info: DatasetInfo
    texts: ReportOfTask
    introduction: Sentence
    summary: Sentence
    next_step: Sentence | None
    outcomes: Mapping[str, Outcome | None]
    floor: Sentence | None
    data_hash: str
    table: pd.DataFrame
    best: str
    pairs: list[dict[Any, Any]]
    charts: list[Chart]
    recipes: list[RecipeView]
    suspects: SuspectsView | None = None
    curves: Sequence[CurveView] = ()
    searches: Sequence[SearchView] = ()
    seeds: Sequence[SeedsView] = ()


def view_dataset(name: str, recipes: list[str], params: dict[str, Any]) -> DatasetView:
    """Gather what the page shows of a dataset, from what the stages have written with these params."""
    folder = Path("data/prepared") / name
    prepared = load_prepared(folder)
    info = prepared.info
    metrics = load_metrics(Path("metrics") / name, recipes, info.task)
    baseline_metrics = load_baseline_metrics(Path("metrics/baseline") / name, info.task)
    predictions = {
        recipe: {
            split: load_predictions(Path(f"data/predictions/{name}/{recipe}.csv"), info, split)
            for split in ("test", "train")
        }
        for recipe in recipes
    }
    histories = {recipe: load_history(Path(f"plots/history/{name}/{recipe}.csv")) for recipe in recipes}
    table = load_table(Path(f"metrics/compare/{name}.csv"), name)
    pairs = load_table(Path(f"metrics/compare/pairs/{name}.csv"), name, PAIR_COLUMNS)
    parts = load_table(Path(f"metrics/compare/breakdown/{name}.csv"), name)
    texts, best = REPORT[info.task], choose_best(info.task, metrics)
    baselines = load_baselines(Path("data/baselines") / name, info)
    data_hash = hash_as_dvc(folder)
    verdicts = judge_recipes(info, metrics, baseline_metrics, baselines, pairs)
    return DatasetView(
        name=name,
        info=info,
        texts=texts,
        introduction=texts.introduce(len(predictions[best]["test"]), info),
        summary=_sum_up(best, verdicts[best]),
        next_step=Sentence(WHAT_NEXT) if verdicts[best].outcome is Outcome.NOTHING else None,
        outcomes={recipe: verdict.outcome for recipe, verdict in verdicts.items()},
        floor=texts.floor(baseline_metrics),
        data_hash=data_hash,
        table=table,
        best=best,
        pairs=pairs.fillna({"better": ""}).to_dict("records"),
        charts=[
            Chart(f"{name}-errors", chart_errors(info.task, texts.error_title, table), ERRORS_CAPTION),
            *(_view_curves(name, histories, column, *titles) for column, titles in texts.curves.items()),
        ],
        recipes=[
            view_recipe(
                recipe,
                prepared,
                metrics[recipe],
                predictions[recipe],
                parts[parts["recipe"] == recipe].drop(columns="recipe"),
                params,
            )
            for recipe in recipes
        ],
        suspects=view_suspects(name, prepared, load_overlays(name, best, prepared.images)),
        curves=view_curves(name, info, recipes, params, data_hash),
        searches=view_searches(name, info, recipes, params, data_hash),
        seeds=view_seeds(name, info, recipes, params, data_hash),
    )


def _view_curves(dataset: str, histories: Mapping[str, pd.DataFrame], column: str, caption: str, title: str) -> Chart:
    if any(epoch_step(history) > 1 for history in histories.values()):
        caption += " (some, at equal distances)"
    return Chart(f"{dataset}-{column}", chart_histories(histories, column, title), caption)


def _sum_up(recipe: str, verdict: Verdict) -> Sentence:
    values = {"recipe": recipe, "figure": verdict.figure, "judgement": verdict.judgement}
    return Sentence(JUDGED_SUMMARY if verdict.judgement else SUMMARY, values)
