"""Stage `prepare`: turn a dataset's raw files into one array of pictures."""

from pathlib import Path

from image_recipes.datasets import save_prepared
from image_recipes.sources import SOURCES, load_dataset
from image_recipes.stage import run_stage


def main(dataset: str) -> None:
    """Read or generate the pictures of a dataset."""
    settings = load_dataset(dataset)
    images, targets, info = SOURCES[settings.source].read(settings)
    save_prepared(images, targets, info, Path("data/prepared") / dataset)


if __name__ == "__main__":
    run_stage(main)
