"""Datasets for benchmarks, prepared as the stages `prepare` and `split` do, in a folder of their own."""

from pathlib import Path

from image_recipes.datasets import save_split
from image_recipes.sources import SOURCES, load_dataset


def prepare_dataset(name: str, folder: Path, training_pictures: int | None = None) -> None:
    """Prepare a dataset of params.yaml, and its split in the folder `split` below it.

    Args:
        name: the dataset's.
        folder: written anew.
        training_pictures: train on no more than so many.
    """
    settings = load_dataset(name)
    source = SOURCES[settings.source]
    source.prepare(settings, folder)
    indices = source.split(folder, settings, folder / "assigned.csv")
    indices["train"] = indices["train"][:training_pictures]
    save_split(indices, folder / "split")
