"""Which classes are taken for which, and which of many to show."""

from collections.abc import Sequence

import pandas as pd

from image_recipes.results.names import MAX_NAMED_CLASSES

# where the stage `compare` writes all of them, a file for each dataset
CONFUSION_FOLDER = "metrics/compare/confusion"


def count_confusions(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Count how often each class was taken for each.

    Args:
        predictions: as `results.predictions.tabulate_predictions` makes them.
        classes: all names, in their order.

    Returns:
        Columns real, predicted, pictures, of pairs that occur: first those of two classes, the most
        frequent first, then a class with itself.
    """
    counts = predictions.groupby(["real", "predicted"]).size().reset_index(name="pictures")
    order = {name: number for number, name in enumerate(classes)}
    keys = pd.DataFrame(
        {
            "right": counts["real"] == counts["predicted"],
            "pictures": -counts["pictures"].where(counts["real"] != counts["predicted"], 0),
            "real": counts["real"].map(order),
            "predicted": counts["predicted"].map(order),
        }
    )
    return counts.loc[keys.sort_values(keys.columns.tolist()).index].reset_index(drop=True)


def choose_confused(confusions: pd.DataFrame, classes: Sequence[str]) -> list[str]:
    """Choose those classes that are most often taken for each other, as many as a figure can name.

    Args:
        confusions: as `count_confusions` returns them.
        classes: all names, in their order.

    Returns:
        Names in the same order; all if they are not too many.
    """
    if len(classes) <= MAX_NAMED_CLASSES:
        return list(classes)
    pairs: dict[tuple[str, ...], int] = {}
    totals = dict.fromkeys(classes, 0)
    for real, predicted, pictures in confusions[["real", "predicted", "pictures"]].itertuples(index=False):
        if real != predicted:
            pair = tuple(sorted((real, predicted)))
            pairs[pair] = pairs.get(pair, 0) + pictures
            totals[real] += pictures
            totals[predicted] += pictures
    ranked = sorted(pairs, key=lambda pair: (pairs[pair], sum(totals[name] for name in pair)), reverse=True)
    # where fewer were confused, others fill up
    names = dict.fromkeys([*(name for pair in ranked for name in pair), *classes])
    chosen = set(list(names)[:MAX_NAMED_CLASSES])
    return [name for name in classes if name in chosen]
