"""Stage `compare`: set the recipes of a dataset side by side, and say what was learned."""

import os
from pathlib import Path

from image_recipes.comparison.pairs import choose_pairs, compare_pairs
from image_recipes.comparison.table import join_by_recipe, load_published, make_table
from image_recipes.comparison.verdict import TOLD_LATER, choose_best, judge_recipes, tell_verdicts
from image_recipes.core.dataset import load_info
from image_recipes.core.files import save_table
from image_recipes.core.params import load_seed
from image_recipes.core.running import run_stage
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.figures.by_task import FIGURES
from image_recipes.figures.curves import draw_histories
from image_recipes.results.history import load_history
from image_recipes.results.metrics import load_baseline_metrics, load_metrics
from image_recipes.results.predictions import load_baselines, load_predictions
from image_recipes.results.recipes import load_recipe_names
from image_recipes.results.tables import BASELINE, save_markdown


def main(dataset: str) -> None:
    """Compare all recipes of a dataset, by what they have predicted."""
    seed, info = load_seed(), load_info(Path("data/prepared") / dataset)
    recipes = load_recipe_names(dataset)
    metrics = load_metrics(Path("metrics") / dataset, recipes, info.task)
    histories = {name: load_history(Path(f"plots/history/{dataset}/{name}.csv")) for name in recipes}
    predictions = {name: load_predictions(Path(f"data/predictions/{dataset}/{name}.csv"), info) for name in recipes}
    baselines = load_baselines(Path("data/baselines") / dataset, info)

    folder = Path("metrics/compare")
    published = load_published(Path("published.yaml"))
    baseline_metrics = load_baseline_metrics(Path("metrics/baseline") / dataset, info.task)
    table = make_table(info.task, metrics, baseline_metrics, published)
    rivals = {BASELINE + name: rows for name, rows in baselines.items()}
    pairs = compare_pairs(info.task, predictions | rivals, choose_pairs(recipes, baselines), seed)
    save_table(table, folder / f"{dataset}.csv")
    save_markdown(table, folder / f"{dataset}.md")
    save_table(pairs, folder / f"pairs/{dataset}.csv")
    save_markdown(pairs.drop(columns="better"), folder / f"pairs/{dataset}.md")
    evaluation = EVALUATION[info.task]
    for name, tabulate in {"breakdown": evaluation.break_down, "confusion": evaluation.count_confusions}.items():
        tables = {recipe: tabulate(rows, info) for recipe, rows in predictions.items()}
        save_table(join_by_recipe(tables), folder / f"{name}/{dataset}.csv")

    draw_histories(FIGURES[info.task].curves, histories, Path(f"plots/compare/{dataset}.png"))
    save_table(join_by_recipe(histories), Path(f"plots/compare/{dataset}.csv"))
    for name, rows in predictions.items():
        save_table(rows[["real", "predicted"]], Path(f"plots/predictions/{dataset}/{name}.csv"))

    if TOLD_LATER not in os.environ:
        verdicts = judge_recipes(info, metrics, baseline_metrics, baselines, pairs)
        print(*tell_verdicts(verdicts, choose_best(info.task, metrics)), sep="\n")


if __name__ == "__main__":
    run_stage(main)
