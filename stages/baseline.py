"""Stage `baseline`: score what a dataset's recipes have to beat; it chooses nothing by test pictures."""

from pathlib import Path

from image_recipes.baselines import predict_baselines
from image_recipes.datasets import load_prepared, load_split
from image_recipes.evaluation import measure
from image_recipes.files import written_whole
from image_recipes.metrics import named, save_metrics
from image_recipes.params import load_seed
from image_recipes.predictions import save_predictions, tabulate_predictions
from image_recipes.sources import References, load_dataset, predict_references
from image_recipes.stage import run_stage


def main(dataset: str) -> None:
    """Fit simple models on a dataset's training pictures, and score them on its test pictures."""
    seed, settings = load_seed(), load_dataset(dataset)
    prepared = load_prepared(Path("data/prepared") / dataset)
    info = prepared.info
    folder = Path("data/split") / dataset
    splits = {name: prepared.subset(load_split(folder, name)) for name in ("train", "validation", "test")}
    test = splits["test"]

    baselines: References = {name: (output, {}) for name, output in predict_baselines(info, splits, seed).items()}
    with (
        written_whole(Path("data/baselines") / dataset) as predictions_folder,
        written_whole(Path("metrics/baseline") / dataset) as metrics_folder,
    ):
        predictions_folder.mkdir()
        metrics_folder.mkdir()
        for name, (output, known) in (baselines | predict_references(settings, test)).items():
            predictions = tabulate_predictions(test.indices, test.targets, output, info.classes)
            save_predictions(predictions, predictions_folder / f"{name}.csv")
            metrics = measure(info.task, predictions, info.classes, seed)
            save_metrics(named("test", metrics) | known, metrics_folder / f"{name}.json")


if __name__ == "__main__":
    run_stage(main)
