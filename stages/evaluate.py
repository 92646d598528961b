"""Stage `evaluate`: score a trained model; except `baseline`, the only stage that opens test pictures."""

from pathlib import Path

import numpy as np

from image_recipes.core.dataset import load_prepared, load_split
from image_recipes.core.errors import UserError
from image_recipes.core.groups import find_groups
from image_recipes.core.params import load_dataset_name, load_seed
from image_recipes.core.running import run_stage
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.evaluation.coverage import measure_coverage
from image_recipes.evaluation.splits import Evaluator
from image_recipes.models.saving import load_model, load_reliability
from image_recipes.results.folds import summarize_folds
from image_recipes.results.metrics import SPLIT_PREFIXES, prefix_metrics, save_metrics
from image_recipes.results.predictions import save_predictions
from image_recipes.results.suspects import save_out_of_fold


def main(recipe: str) -> None:
    """Predict all pictures by a recipe's model, once, score it on each split, and doubt their labels."""
    dataset, seed, file = load_dataset_name(recipe), load_seed(), Path(f"models/{recipe}.keras")
    folder = Path("data/prepared") / dataset
    prepared = load_prepared(folder)
    info, evaluation = prepared.info, EVALUATION[prepared.info.task]
    model, reliability = load_model(file), load_reliability(file)
    if reliability is None:
        raise UserError(f"{file}: an earlier version has trained it: train it again by `dvc repro train@{recipe}`")

    evaluator = Evaluator(model, reliability, info, folder)
    pictures = {split: prepared.subset(load_split(Path("data/split") / dataset, split)) for split in SPLIT_PREFIXES}
    found = {split: evaluator.evaluate(some) for split, some in pictures.items()}
    metrics: dict[str, float | None] = {"parameters": model.count_params()}
    metrics |= prefix_metrics("test", evaluation.measure(found["test"].predictions, info, seed))
    metrics |= prefix_metrics("test", measure_coverage(info.task, found["test"].judgement, pictures["test"].targets))
    for split, prefix in SPLIT_PREFIXES.items():
        metrics |= prefix_metrics(prefix, found[split].metrics)
    metrics |= summarize_folds(Path(f"models/{recipe}.folds.csv"), info.task)
    tables = {split: some.predictions for split, some in found.items()}
    save_predictions(tables, Path(f"data/predictions/{dataset}/{recipe}.csv"))
    save_metrics(metrics, Path(f"metrics/{dataset}/{recipe}.json"))

    pool = np.concatenate([some.indices for some in pictures.values()])
    features = np.concatenate([some.features for some in found.values()])
    held_out = evaluation.predict_by_folds(features, prepared.targets[pool], find_groups(folder, pool), info)
    save_out_of_fold(held_out, dataset, recipe)


if __name__ == "__main__":
    run_stage(main)
