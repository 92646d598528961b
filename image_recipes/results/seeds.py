"""A recipe's figures over seeds: each training differs in its first weights and the order of its pictures alone."""

from pathlib import Path

import pandas as pd
from scipy import stats

from image_recipes.core.loading import Kind, load_table, loading

SEEDS_FOLDER = Path("metrics/seeds")
# before the metrics, and after them
BEFORE_METRICS, AFTER_METRICS = ("seed", "parameters", "epochs", "seconds"), ("inputs", "commit")
# share of such intervals that hold the mean over all seeds
CONFIDENCE = 0.95


def seeds_file(recipe: str) -> Path:
    """Return the file of a recipe's figures over seeds, which may not be there."""
    return SEEDS_FOLDER / f"{recipe}.csv"


def seeds_plot(dataset: str) -> Path:
    """Return the file of the plot of a dataset's recipes over seeds."""
    return Path(f"plots/seeds/{dataset}.png")


def load_seeds(recipe: str, metric: str) -> pd.DataFrame | None:
    """Read a recipe's figures over seeds.

    Args:
        recipe: its name.
        metric: the main one of its task.

    Returns:
        A row for each training: `seed`, `parameters` of the model, `epochs`, `seconds`, metrics of each split such as
        `test_mse`, `inputs`, the hash of what they depend on, and `commit`; None if nobody has asked for them.

    Raises:
        UserError: the file is damaged.
    """
    file = seeds_file(recipe)
    if not file.exists():
        return None
    columns: dict[str, Kind] = {"seed": "count", "parameters": "count", "epochs": "count", "seconds": "number"}
    columns |= {f"test_{metric}": "number"}
    columns |= dict.fromkeys(AFTER_METRICS, "text")
    with loading(file, f"delete it, and make it again by `image-recipes seeds {recipe}`"):
        table = load_table(file, columns, keep_default_na=True)
        if table.empty or table["seed"].duplicated().any():
            raise ValueError("each row must have a seed of its own")
        return table


def summarize_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Summarize figures over seeds.

    Args:
        table: as `load_seeds` returns it.

    Returns:
        A row for each metric: `metric`, `mean`, `std` (of the sample), and `low` and `high`, the ends of the 95 %
        interval of the mean by Student's t distribution; those are NaN of a single seed.
    """
    metrics = [name for name in table.columns if name not in (*BEFORE_METRICS, *AFTER_METRICS)]
    count, means, spreads = len(table), table[metrics].mean(), table[metrics].std()
    half = stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * spreads / count**0.5 if count > 1 else spreads
    return pd.DataFrame(
        {"metric": metrics, "mean": means, "std": spreads, "low": means - half, "high": means + half}
    ).reset_index(drop=True)
