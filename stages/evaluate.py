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
from image_recipes.evaluation.inference import predict_and_judge, score_by_own_metrics
from image_recipes.models.embedding import add_embedding
from image_recipes.models.saving import load_model, load_reliability
from image_recipes.results.folds import summarize_folds
from image_recipes.results.metrics import prefix_metrics, save_metrics
from image_recipes.results.paths import insert_paths
from image_recipes.results.predictions import insert_judgement, save_predictions, tabulate_predictions
from image_recipes.results.suspects import save_out_of_fold

PREFIXES = {"train": "train", "validation": "val", "test": "test"}


def main(recipe: str) -> None:
    """Predict all pictures by a recipe's model, once, score it on each split, and doubt their labels."""
    dataset = load_dataset_name(recipe)
    seed = load_seed()
    folder = Path("data/prepared") / dataset
    prepared = load_prepared(folder)
    info, evaluation = prepared.info, EVALUATION[prepared.info.task]
    model_file = Path(f"models/{recipe}.keras")
    model, reliability = load_model(model_file), load_reliability(model_file)
    if reliability is None:
        raise UserError(
            f"{model_file}: an earlier version has trained it: train it again by `dvc repro train@{recipe}`"
        )
    with_embedding = add_embedding(model)

    metrics: dict[str, float | None] = {"parameters": model.count_params()}
    predictions, features, indices = {}, [], []
    for split, prefix in PREFIXES.items():
        pictures = prepared.subset(load_split(Path("data/split") / dataset, split))
        outputs, judgement, seen = predict_and_judge(with_embedding, reliability, pictures, info.task)
        features.append(seen)
        indices.append(pictures.indices)
        table = insert_paths(tabulate_predictions(pictures, judgement.outputs, info), folder)
        predictions[split] = insert_judgement(table, judgement.region, judgement.unfamiliar, info)
        if split == "test":
            metrics |= prefix_metrics(prefix, evaluation.measure(table, info, seed))
            metrics |= prefix_metrics(prefix, measure_coverage(info.task, judgement, pictures.targets))
        # of the network's own outputs, so that its loss is the one of the curves
        metrics |= prefix_metrics(prefix, evaluation.score(tabulate_predictions(pictures, outputs, info)))
        metrics |= prefix_metrics(prefix, score_by_own_metrics(model, pictures.targets, outputs, info))
    metrics |= summarize_folds(Path(f"models/{recipe}.folds.csv"), info.task)
    save_predictions(predictions, Path(f"data/predictions/{dataset}/{recipe}.csv"))
    save_metrics(metrics, Path(f"metrics/{dataset}/{recipe}.json"))

    pool = np.concatenate(indices)
    groups = find_groups(folder, pool)
    held_out = evaluation.predict_by_folds(np.concatenate(features), prepared.targets[pool], groups, info)
    save_out_of_fold(held_out, dataset, recipe)


if __name__ == "__main__":
    run_stage(main)
