"""Stage `evaluate`: score a trained model; except `baseline`, the only stage that opens test pictures."""

from pathlib import Path

from image_recipes.core.dataset import load_prepared, load_split
from image_recipes.core.params import load_dataset_name, load_seed
from image_recipes.core.running import run_stage
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.evaluation.inference import predict, score_by_own_metrics
from image_recipes.models.saving import load_model
from image_recipes.results.folds import summarize_folds
from image_recipes.results.metrics import prefix_metrics, save_metrics
from image_recipes.results.paths import insert_paths
from image_recipes.results.predictions import save_predictions, tabulate_predictions

PREFIXES = {"train": "train", "validation": "val", "test": "test"}


def main(recipe: str) -> None:
    """Predict all pictures by a recipe's model, once, and score it on each split."""
    dataset = load_dataset_name(recipe)
    seed = load_seed()
    folder = Path("data/prepared") / dataset
    prepared = load_prepared(folder)
    info, evaluation = prepared.info, EVALUATION[prepared.info.task]
    model = load_model(Path(f"models/{recipe}.keras"))

    metrics: dict[str, float | None] = {"parameters": model.count_params()}
    predictions = {}
    for split, prefix in PREFIXES.items():
        pictures = prepared.subset(load_split(Path("data/split") / dataset, split))
        outputs = predict(model, pictures)
        predictions[split] = insert_paths(tabulate_predictions(pictures, outputs, info), folder)
        metrics |= prefix_metrics(prefix, evaluation.score(predictions[split]))
        metrics |= prefix_metrics(prefix, score_by_own_metrics(model, pictures.targets, outputs, info))
    metrics |= prefix_metrics("test", evaluation.measure(predictions["test"], info, seed))
    metrics |= summarize_folds(Path(f"models/{recipe}.folds.csv"), info.task)
    save_predictions(predictions, Path(f"data/predictions/{dataset}/{recipe}.csv"))
    save_metrics(metrics, Path(f"metrics/{dataset}/{recipe}.json"))


if __name__ == "__main__":
    run_stage(main)
