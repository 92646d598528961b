"""Datasets for benchmarks, prepared as the stages `prepare` and `split` do, in a folder of their own."""

from pathlib import Path

from image_recipes.core.dataset import save_split
from image_recipes.core.errors import UserError
from image_recipes.data.prepare import prepare_dataset
from image_recipes.data.sources import load_dataset
from image_recipes.data.splits import split_dataset


def prepare_for_benchmark(name: str, folder: Path, training_pictures: int | None = None) -> None:
    """Prepare a dataset of params.yaml, and its split in the folder `split` below it.

    Args:
        name: the dataset's.
        folder: to write into; for pictures in files it must not be there yet.
        training_pictures: train on no more than so many.

    Raises:
        UserError: pictures in files cannot be used.
    """
    settings = load_dataset(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if complaint := prepare_dataset(settings, folder):
        raise UserError(complaint)
    indices = split_dataset(folder, settings, folder / "assigned.csv")
    indices["train"] = indices["train"][:training_pictures]
    save_split(indices, folder / "split")
