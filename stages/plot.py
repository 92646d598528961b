"""Stage `plot`: draw a recipe's curves, predictions and gallery."""

from pathlib import Path

from image_recipes.datasets import load_prepared
from image_recipes.figures import draw_curves, draw_gallery, draw_predictions, gallery_rows, prediction_titles
from image_recipes.files import write_text
from image_recipes.histories import load_history
from image_recipes.params import load_dataset_name
from image_recipes.predictions import load_predictions
from image_recipes.stage import run_stage


def main(recipe: str) -> None:
    """Draw everything about one recipe."""
    dataset = load_dataset_name(recipe)
    prepared = load_prepared(Path("data/prepared") / dataset)
    info = prepared.info
    history = load_history(Path(f"plots/history/{dataset}/{recipe}.csv"))
    predictions = load_predictions(Path(f"data/predictions/{dataset}/{recipe}.csv"), info.classes)
    folder = Path("plots") / recipe

    draw_curves(info.task, history, folder / "curves.png")
    draw_predictions(info, predictions, folder / "predictions.png")
    shown = gallery_rows(info.task, predictions)
    images = prepared.images[shown["index"].to_numpy()]
    draw_gallery(images, prediction_titles(info.task, shown), folder / "gallery.png")
    write_text(Path(f"models/{recipe}.txt").read_text("utf-8"), folder / "summary.txt")


if __name__ == "__main__":
    run_stage(main)
