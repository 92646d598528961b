"""Stage `prepare`: turn a dataset's raw files into one array of pictures."""

from pathlib import Path

from image_recipes.core.errors import UserError
from image_recipes.core.files import written_whole
from image_recipes.core.running import run_stage
from image_recipes.data.decoded import DECODED_FOLDER
from image_recipes.data.prepare import prepare_dataset
from image_recipes.data.sources import load_dataset
from image_recipes.figures.refused import draw_refused


def main(dataset: str) -> None:
    """Read or generate the pictures of a dataset."""
    settings = load_dataset(dataset)
    with written_whole(Path("data/prepared") / dataset) as folder:
        complaint = prepare_dataset(settings, folder, DECODED_FOLDER / dataset)
        draw_refused(Path(settings.raw), folder)
    if complaint:
        raise UserError(f"{complaint}; data/prepared/{dataset}/problems.csv lists all")


if __name__ == "__main__":
    run_stage(main)
