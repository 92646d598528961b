"""Stage `baseline`: score what a dataset's recipes have to beat; it chooses nothing by test pictures."""

from pathlib import Path

from image_recipes.core.dataset import load_prepared, load_split
from image_recipes.core.files import written_whole
from image_recipes.core.params import SPLIT_NAMES, load_seed, read_section
from image_recipes.core.running import run_stage
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.evaluation.references import predict_references
from image_recipes.results.metrics import prefix_metrics, save_metrics
from image_recipes.results.paths import insert_paths
from image_recipes.results.predictions import save_predictions, tabulate_predictions


def main(dataset: str) -> None:
    """Fit simple models on a dataset's training pictures, and score them on its test pictures."""
    seed, source = load_seed(), read_section("datasets", dataset, "source")
    folder = Path("data/prepared") / dataset
    prepared = load_prepared(folder)
    info, evaluation = prepared.info, EVALUATION[prepared.info.task]
    splits = {name: prepared.subset(load_split(Path("data/split") / dataset, name)) for name in SPLIT_NAMES}

    baselines = evaluation.predict_baselines(info, splits, seed) | predict_references(source, splits["test"])
    with (
        written_whole(Path("data/baselines") / dataset) as predictions_folder,
        written_whole(Path("metrics/baseline") / dataset) as metrics_folder,
    ):
        predictions_folder.mkdir()
        metrics_folder.mkdir()
        for name, (outputs, known) in baselines.items():
            predictions = insert_paths(tabulate_predictions(splits["test"], outputs, info), folder)
            save_predictions({"test": predictions}, predictions_folder / f"{name}.csv")
            metrics = prefix_metrics("test", evaluation.measure(predictions, info, seed))
            save_metrics(metrics | known, metrics_folder / f"{name}.json")


if __name__ == "__main__":
    run_stage(main)
