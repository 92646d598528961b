"""Stage `prepare`: turn a dataset's raw files into one array of pictures."""

from pathlib import Path

from image_recipes.errors import UserError
from image_recipes.files import written_whole
from image_recipes.refused import draw_refused
from image_recipes.sources import SOURCES, load_dataset
from image_recipes.stage import run_stage


def main(dataset: str) -> None:
    """Read or generate the pictures of a dataset."""
    settings = load_dataset(dataset)
    with written_whole(Path("data/prepared") / dataset) as folder:
        complaint = SOURCES[settings.source].prepare(settings, folder)
        draw_refused(Path(settings.raw), folder)
    if complaint:
        raise UserError(f"{complaint}; data/prepared/{dataset}/problems.csv lists all")


if __name__ == "__main__":
    run_stage(main)
