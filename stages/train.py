"""Stage `train`: train a recipe's model."""

from pathlib import Path

import numpy as np
from dvclive import Live

from image_recipes.core.dataset import load_prepared, load_split
from image_recipes.core.files import save_table, write_text
from image_recipes.core.params import load_seed
from image_recipes.core.running import run_stage
from image_recipes.models.recipe import load_recipe
from image_recipes.models.saving import save_model, summarize
from image_recipes.training.calibrating import assess_reliability
from image_recipes.training.fit import train_recipe
from image_recipes.training.folds import cross_validate
from image_recipes.training.progress import LiveLog
from image_recipes.training.states import forget_states, states_folder


def main(recipe: str) -> None:
    """Train a recipe on its dataset's training pictures."""
    loaded, seed = load_recipe(recipe), load_seed()
    dataset = loaded.settings.dataset
    prepared = load_prepared(Path("data/prepared") / dataset)
    indices = {split: load_split(Path("data/split") / dataset, split) for split in ("train", "validation")}
    splits = {split: prepared.subset(places) for split, places in indices.items()}

    states = states_folder(loaded, prepared.info, seed)

    with Live(f"dvclive/{recipe}", dvcyaml=None, save_dvc_exp=False) as live:
        model, history = train_recipe(loaded, prepared.info, splits, seed, [LiveLog(live=live)], states)

    reliability = assess_reliability(model, prepared.info, splits["train"], splits["validation"], seed)
    save_model(model, prepared.info, Path(f"models/{recipe}.keras"), reliability)
    write_text(summarize(model), Path(f"models/{recipe}.txt"))
    save_table(history, Path(f"plots/history/{dataset}/{recipe}.csv"))

    # last, so that the model is the same without
    pool = np.concatenate([*indices.values()])
    folds = cross_validate(loaded, Path("data/prepared") / dataset, pool, seed, states)
    save_table(folds, Path(f"models/{recipe}.folds.csv"))
    forget_states(states)


if __name__ == "__main__":
    run_stage(main)
