"""Stage `split`: choose the training, validation and test pictures, and show samples."""

from pathlib import Path

from image_recipes.datasets import load_prepared, save_split
from image_recipes.figures import GALLERY_CELLS, draw_gallery, draw_overview, sample_titles
from image_recipes.pictures import load_sizes
from image_recipes.sources import SOURCES, load_dataset
from image_recipes.stage import run_stage


def main(dataset: str) -> None:
    """Split a dataset."""
    settings = load_dataset(dataset)
    folder = Path("data/prepared") / dataset
    prepared = load_prepared(folder)
    indices = SOURCES[settings.source].split(folder, settings, Path(f"data/assigned/{dataset}.csv"))
    save_split(indices, Path("data/split") / dataset)

    shown = indices[settings.samples][:GALLERY_CELLS]
    titles = sample_titles(prepared.targets[shown], prepared.info.classes)
    draw_gallery(prepared.images[shown], titles, Path(f"plots/samples/{dataset}.png"))
    sizes = load_sizes(folder)
    draw_overview(prepared.info, prepared.targets, indices, sizes, Path(f"plots/overview/{dataset}.png"))


if __name__ == "__main__":
    run_stage(main)
