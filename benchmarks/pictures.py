"""Datasets for benchmarks, prepared as the stages `prepare` and `split` do, in a folder of their own."""

from pathlib import Path

from image_recipes.core.dataset import save_split
from image_recipes.data.prepare import prepare_dataset
from image_recipes.data.sources import load_dataset
from image_recipes.data.splits import split_dataset


def prepare_for_benchmark(name: str, folder: Path, training_pictures: int | None = None) -> None:
    """Prepare a dataset of params.yaml, and its split in the folder `split` below it.

    Args:
        name: the dataset's.
        folder: to write into.
        training_pictures: train on no more than so many.
    """
    settings = load_dataset(name)
    prepare_dataset(settings, folder)
    indices = split_dataset(folder, settings, folder / "assigned.csv")
    indices["train"] = indices["train"][:training_pictures]
    save_split(indices, folder / "split")
