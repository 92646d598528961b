"""Stage `evaluate`: score a trained model; but for `baseline`, the only one that opens test pictures."""

from pathlib import Path

from image_recipes.archives import load_model
from image_recipes.datasets import load_prepared, load_split
from image_recipes.evaluation import measure
from image_recipes.metrics import named, save_metrics
from image_recipes.params import load_dataset_name, load_seed
from image_recipes.predictions import save_predictions, tabulate_predictions
from image_recipes.scoring import predict, score
from image_recipes.stage import run_stage

SPLITS = {"train": "train", "validation": "val", "test": "test"}


def main(recipe: str) -> None:
    """Score a recipe's model on all three splits, and keep its test predictions."""
    dataset = load_dataset_name(recipe)
    seed = load_seed()
    prepared = load_prepared(Path("data/prepared") / dataset)
    info = prepared.info
    model = load_model(Path(f"models/{recipe}.keras"))

    metrics: dict[str, float | None] = {"parameters": model.count_params()}
    for split, prefix in SPLITS.items():
        indices = load_split(Path("data/split") / dataset, split)
        pictures = prepared.subset(indices)
        metrics |= named(prefix, score(model, info.task, pictures))
    # the last of the splits is the test
    predictions = tabulate_predictions(indices, pictures.targets, predict(model, pictures), info.classes)
    # these are of float64, but for the log-loss, which Keras takes from the logits
    metrics = named("test", measure(info.task, predictions, info.classes, seed)) | {
        name: value for name, value in metrics.items() if not name.startswith("test_") or name == "test_loss"
    }
    save_predictions(predictions, Path(f"data/predictions/{dataset}/{recipe}.csv"))
    save_metrics(metrics, Path(f"metrics/{dataset}/{recipe}.json"))


if __name__ == "__main__":
    run_stage(main)
