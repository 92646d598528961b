"""What a predicted picture is shown beside: of its real, and of its predicted class or number, one that is known."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from image_recipes.comparison.sentences import Sentence
from image_recipes.results.names import show_name
from image_recipes.results.predictions import PROBABILITY, class_columns, probabilities
from image_recipes.results.tables import format_probability

# of predictions, as `to_dict("records")` returns them
Row = Mapping[Hashable, Any]
# before the words of an error and of an example
CLASS_ERROR = "real {real} ({real_probability}), predicted {predicted} ({probability})"
NUMBER_ERROR = "real {real}, predicted {predicted}: off by {loss}"
RIGHT_EXAMPLE = "{real}, predicted rightly ({probability})"
WRONG_EXAMPLE = "{real}, predicted {predicted} ({probability})"
NUMBER_EXAMPLE = "real {real}, predicted {predicted}"


def rank_class_examples(test: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame:
    """Rank predictions of classes, the best examples of the real class first: right ones, of the test, the surest."""
    rows = pd.concat([test.assign(tested=True), training.assign(tested=False)], ignore_index=True)
    names = [name.removeprefix(PROBABILITY) for name in class_columns(rows)]
    places = rows["real"].map({name: number for number, name in enumerate(names)}).to_numpy()
    rows["sure"] = probabilities(rows)[np.arange(len(rows)), places]
    rows["right"] = rows["real"] == rows["predicted"]
    return rows.sort_values(["right", "tested", "sure"], ascending=False, kind="stable")


def find_class_examples(ranked: pd.DataFrame, row: Row) -> list[Row]:
    """Find an example of a picture's real class, and one of that for which it was, or nearly was, taken."""
    names = [str(row["real"]), str(row["predicted"])]
    if row["real"] == row["predicted"]:
        rivals = {name: row[PROBABILITY + name] for name in map(str, ranked["real"].unique()) if name != row["real"]}
        names = [names[0], *sorted(rivals, key=lambda name: -rivals[name])[:1]]
    others = ranked[ranked["index"] != row["index"]]
    return [found for name in names for found in others[others["real"] == name].head(1).to_dict("records")]


def rank_number_examples(test: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame:
    """Rank predictions of numbers, the best examples first: those of the least error."""
    rows = pd.concat([test, training], ignore_index=True)
    errors = (rows["predicted"] - rows["real"]).abs()
    return rows.iloc[errors.to_numpy().argsort(kind="stable")]


def find_number_examples(ranked: pd.DataFrame, row: Row) -> list[Row]:
    """Find other pictures whose real numbers are nearest to a picture's real number, and to the predicted one."""
    others, found = ranked[ranked["index"] != row["index"]], []
    for number in (row["real"], row["predicted"]):
        if np.isfinite(number) and len(others):
            nearest = others.iloc[[(others["real"] - number).abs().to_numpy().argmin()]]
            found += nearest.to_dict("records")
            others = others.drop(nearest.index)
    return found


def tell_class_error(row: Row) -> Sentence:
    """Say what a picture shows and what it was taken for, with both probabilities."""
    real, predicted = str(row["real"]), str(row["predicted"])
    return Sentence(
        CLASS_ERROR,
        {
            "real": show_name(real),
            "real_probability": format_probability(row[PROBABILITY + real]),
            "predicted": show_name(predicted),
            "probability": format_probability(row[PROBABILITY + predicted]),
        },
    )


def tell_number_error(row: Row) -> Sentence:
    """Say which number a picture has, which was predicted, and how far that is off."""
    return Sentence(
        NUMBER_ERROR, {**tell_number_example(row).values, "loss": f"{abs(row['predicted'] - row['real']):.3g}"}
    )


def tell_class_example(row: Row) -> Sentence:
    """Say of which class an example is, and whether it was predicted rightly."""
    predicted = str(row["predicted"])
    return Sentence(
        RIGHT_EXAMPLE if row["real"] == predicted else WRONG_EXAMPLE,
        {
            "real": show_name(str(row["real"])),
            "predicted": show_name(predicted),
            "probability": format_probability(row[PROBABILITY + predicted]),
        },
    )


def tell_number_example(row: Row) -> Sentence:
    """Say which number an example has, and which was predicted."""
    values = {"real": show_real_number(row["real"]), "predicted": show_predicted_number(row["predicted"])}
    return Sentence(NUMBER_EXAMPLE, values)


def show_real_number(value: float) -> str:
    """Write a number that a picture has."""
    return f"{value:g}"


def show_predicted_number(value: float) -> str:
    """Write a number that was predicted."""
    return f"{value:.4g}"
