"""Stage `split`: choose the training, validation and test pictures, and show samples."""

from pathlib import Path

import pandas as pd

from image_recipes.core.dataset import load_prepared, save_split
from image_recipes.core.running import run_stage
from image_recipes.data.own_pictures import load_sizes
from image_recipes.data.sources import load_dataset
from image_recipes.data.splits import split_dataset
from image_recipes.figures.by_task import FIGURES
from image_recipes.figures.galleries import GALLERY_CELLS, add_file_names, draw_gallery
from image_recipes.figures.overview import draw_overview
from image_recipes.results.paths import insert_paths


def main(dataset: str) -> None:
    """Split a dataset."""
    settings = load_dataset(dataset)
    folder = Path("data/prepared") / dataset
    prepared = load_prepared(folder)
    indices = split_dataset(folder, settings, Path(f"data/assigned/{dataset}.csv"))
    save_split(indices, Path("data/split") / dataset)

    figures = FIGURES[prepared.info.task]
    shown = indices[settings.samples][:GALLERY_CELLS]
    titles = figures.title_samples(prepared.targets[shown], prepared.info)
    titles = add_file_names(titles, insert_paths(pd.DataFrame({"index": shown}), folder))
    kind = {"train": "training"}.get(settings.samples, settings.samples)
    heading = f"the first {len(shown)} of {len(indices[settings.samples]):,} {kind} pictures"
    draw_gallery(prepared.images[shown], titles, heading, Path(f"plots/samples/{dataset}.png"))
    draw_overview(figures.plot_targets, prepared, indices, load_sizes(folder), Path(f"plots/overview/{dataset}.png"))


if __name__ == "__main__":
    run_stage(main)
