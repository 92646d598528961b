"""Which pictures are explained by heat maps."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.loading import by_stage, load_table, loading
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.results.predictions import rank_by_confidence

# as many as the report shows of each
WORST_EXPLAINED = 12
SUSPECTS_EXPLAINED = 24


def choose_pictures(predictions: Mapping[str, pd.DataFrame], info: DatasetInfo, suspects: Path) -> pd.DataFrame:
    """Choose which pictures to explain: the worst errors of the test, and those whose labels are suspicious.

    Where all of the test is predicted rightly, it is the least sure predictions instead.

    Args:
        predictions: a recipe's, by split.
        info: the dataset's.
        suspects: a table with a column `index` of suspicious labels, the most doubtful first; it may be missing.

    Returns:
        Rows of the predictions, each picture once.

    Raises:
        UserError: the table of suspects is damaged.
    """
    test = predictions["test"]
    worst = EVALUATION[info.task].rank_errors(test).head(WORST_EXPLAINED).drop(columns="loss")
    if worst.empty:
        worst = rank_by_confidence(test).head(WORST_EXPLAINED)
    doubted = pd.concat(predictions.values()).set_index("index", drop=False)
    doubted = doubted.loc[[index for index in _read_suspects(suspects) if index in doubted.index]]
    return pd.concat([worst, doubted]).drop_duplicates("index", ignore_index=True)


def _read_suspects(file: Path) -> list[int]:
    if not file.exists():
        return []
    with loading(file, by_stage(f"suspects@{file.stem}")):
        return load_table(file, {"index": "count"}, usecols=["index"])["index"].head(SUSPECTS_EXPLAINED).tolist()
