"""Stage `suspects`: list the labels that are probably wrong, by what all recipes of a dataset say of them."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from image_recipes.core.dataset import load_prepared, load_split
from image_recipes.core.params import SPLIT_NAMES
from image_recipes.core.running import run_stage
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.evaluation.suspects import choose_judges, count_judged
from image_recipes.results.recipes import load_recipe_names
from image_recipes.results.suspects import Suspects, load_out_of_fold, save_suspects, tabulate_suspects


def main(dataset: str) -> None:
    """List a dataset's suspicious labels, of all three splits."""
    prepared = load_prepared(Path("data/prepared") / dataset)
    indices = {split: load_split(Path("data/split") / dataset, split) for split in SPLIT_NAMES}
    pool = pd.DataFrame(
        [(split, index) for split, places in indices.items() for index in places], columns=["split", "index"]
    )
    recipes = load_recipe_names(dataset)
    outputs = {recipe: load_out_of_fold(dataset, recipe, len(pool), prepared.info) for recipe in recipes}
    judges = choose_judges(outputs)
    for recipe in outputs.keys() - judges.keys():
        print(f"warning: {recipe}: says nothing of labels, since its training has diverged", file=sys.stderr)
    given = prepared.subset(np.concatenate([*indices.values()])).targets
    found = EVALUATION[prepared.info.task].find_suspects(given, [*judges.values()], prepared.info)
    table = tabulate_suspects(found, pool, dataset)
    save_suspects(Suspects(table, len(pool), count_judged(judges), len(judges)), dataset)


if __name__ == "__main__":
    run_stage(main)
