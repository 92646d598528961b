"""Stage `split`: choose the training, validation and test pictures, and show samples."""

from pathlib import Path

from image_recipes.datasets import load_prepared, save_split, split_indices
from image_recipes.figures import GALLERY_CELLS, draw_gallery, sample_titles
from image_recipes.sources import load_dataset
from image_recipes.stage import run_stage


def main(dataset: str) -> None:
    """Split a dataset."""
    settings = load_dataset(dataset)
    prepared = load_prepared(Path("data/prepared") / dataset)
    indices = split_indices(prepared.info.parts, settings.split.model_dump())
    save_split(indices, Path("data/split") / dataset)

    shown = indices[settings.samples][:GALLERY_CELLS]
    titles = sample_titles(prepared.targets[shown], prepared.info.classes)
    draw_gallery(prepared.images[shown], titles, Path(f"plots/samples/{dataset}.png"))


if __name__ == "__main__":
    run_stage(main)
