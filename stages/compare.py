"""Stage `compare`: set the recipes of a dataset side by side."""

from pathlib import Path

from image_recipes.comparison import join_histories, load_published, make_table, save_table
from image_recipes.datasets import load_info
from image_recipes.figures import draw_comparison
from image_recipes.histories import load_history, save_history
from image_recipes.metrics import load_metrics
from image_recipes.predictions import load_predictions, save_predictions
from image_recipes.stage import run_stage


def main(dataset: str) -> None:
    """Compare all recipes of a dataset."""
    info = load_info(Path("data/prepared") / dataset)
    recipes = Path(f"data/checked/{dataset}.txt").read_text("utf-8").split()
    metrics = load_metrics(Path("metrics") / dataset, recipes)
    histories = {name: load_history(Path(f"plots/history/{dataset}/{name}.csv")) for name in recipes}

    table = make_table(info.task, metrics, load_published(Path("published.yaml")))
    save_table(table, Path(f"metrics/compare/{dataset}.csv"), Path(f"metrics/compare/{dataset}.md"))
    draw_comparison(info.task, histories, Path(f"plots/compare/{dataset}.png"))
    save_history(join_histories(histories), Path(f"plots/compare/{dataset}.csv"))
    for name in recipes:
        predictions = load_predictions(Path(f"data/predictions/{dataset}/{name}.csv"), info.classes)
        save_predictions(predictions[["real", "predicted"]], Path(f"plots/predictions/{dataset}/{name}.csv"))


if __name__ == "__main__":
    run_stage(main)
