"""Stage `heatmaps`: show where in a picture a recipe's model looked."""

from pathlib import Path

import numpy as np

from image_recipes.core.dataset import load_prepared
from image_recipes.core.params import SPLIT_NAMES, load_dataset_name
from image_recipes.core.running import run_stage
from image_recipes.explanation.chosen import choose_pictures
from image_recipes.explanation.wanted import load_wanted
from image_recipes.figures.heatmaps import draw_heatmaps
from image_recipes.results.heatmaps import HEATMAPS_FOLDER, WARM, Heatmaps, save_heatmaps
from image_recipes.results.predictions import load_predictions


def main(recipe: str) -> None:
    """Make heat maps of a recipe's worst errors, and of the pictures whose labels are suspicious."""
    dataset = load_dataset_name(recipe)
    prepared = load_prepared(Path("data/prepared") / dataset)
    file = Path(f"data/predictions/{dataset}/{recipe}.csv")
    predictions = {split: load_predictions(file, prepared.info, split) for split in SPLIT_NAMES}
    shown = choose_pictures(predictions, prepared.info, Path(f"metrics/suspects/{dataset}.csv"))
    indices = shown["index"].to_numpy()

    if load_wanted():
        # it takes seconds to import TensorFlow
        from image_recipes.explanation.explain import explain
        from image_recipes.models.saving import load_model

        model = load_model(Path(f"models/{recipe}.keras"))
        heatmaps = explain(model, prepared.images[indices], indices, prepared.info.task)
    else:
        none = np.zeros((0, *prepared.images.shape[1:3]), np.uint8)
        heatmaps = Heatmaps(indices[:0], none, "none, since params.yaml has heatmaps: false")

    save_heatmaps(heatmaps, HEATMAPS_FOLDER / dataset / f"{recipe}.npz")
    shown = shown.set_index("index", drop=False).loc[heatmaps.indices]
    images, meaning = prepared.images[heatmaps.indices], WARM[prepared.info.task]
    draw_heatmaps(images, shown, heatmaps, meaning, Path(f"plots/{recipe}/heatmaps.png"))


if __name__ == "__main__":
    run_stage(main)
