"""Stage `plot`: draw a recipe's curves, predictions and gallery."""

from pathlib import Path

from image_recipes.core.dataset import load_prepared
from image_recipes.core.files import write_text
from image_recipes.core.params import load_dataset_name
from image_recipes.core.running import run_stage
from image_recipes.figures.by_task import FIGURES
from image_recipes.figures.curves import draw_history
from image_recipes.figures.galleries import add_file_names, draw_gallery
from image_recipes.figures.predictions import draw_predictions
from image_recipes.results.history import load_history
from image_recipes.results.predictions import load_predictions


def main(recipe: str) -> None:
    """Draw everything about one recipe."""
    dataset = load_dataset_name(recipe)
    prepared = load_prepared(Path("data/prepared") / dataset)
    info, figures = prepared.info, FIGURES[prepared.info.task]
    history = load_history(Path(f"plots/history/{dataset}/{recipe}.csv"))
    predictions = load_predictions(Path(f"data/predictions/{dataset}/{recipe}.csv"), info)
    folder = Path("plots") / recipe

    draw_history(figures.curves, history, folder / "curves.png")
    draw_predictions(figures.plot_predictions, predictions, info, folder / "predictions.png")
    shown = figures.choose_shown(predictions)
    images = prepared.images[shown.predictions["index"].to_numpy()]
    titles = add_file_names(figures.title_predictions(shown.predictions), shown.predictions)
    draw_gallery(images, titles, shown.heading, folder / "gallery.png")
    write_text(Path(f"models/{recipe}.txt").read_text("utf-8"), folder / "summary.txt")


if __name__ == "__main__":
    run_stage(main)
