"""What a learning curve says: do more pictures help?"""

import math
from typing import NamedTuple

import pandas as pd

from image_recipes.comparison.sentences import Sentence
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.results.tables import format_value

# standard errors; a gain beyond them is not luck, in about 95 of 100 cases
LUCK = 2
# of an axis, beyond what there is to see, where nothing differs
WIDTH_WITHOUT_LUCK = 0.01
# what a sentence calls the main metric
METRICS = {CLASSIFICATION: "accuracy", REGRESSION: "MSE"}
HELPS = (
    "More pictures help: from {half} to {all} training pictures, the {metric} went from {before} to {after}. That is "
    "a gain of {gain}, where luck makes ±{luck}."
)
EXTRAPOLATION = (
    "If the error goes on falling at the same rate, twice as many pictures would bring {next} more: an extrapolation, "
    "which nobody has measured."
)
UNCLEAR = (
    "Too little to tell whether more pictures help: from {half} to {all} training pictures, the {metric} went from "
    "{before} to {after}. That is a gain of {gain}, where luck makes ±{luck}: a gain of more than {most} is unlikely."
)
WORSE = (
    "More pictures did not help: from {half} to {all} training pictures, the {metric} went from {before} to {after}, "
    "which is worse by {loss}, where luck makes ±{luck}. Look at the epochs and the learning rate first."
)
NO_ERROR_LEFT = (
    "With all {all} training pictures there is no error left on the validation pictures: those cannot show what more "
    "would bring."
)
ONE_TRAINING = "There was one training for each number of pictures, so the luck of training is not counted."


def summarize_curve(task: Task, table: pd.DataFrame) -> pd.DataFrame:
    """Average the repeats of a learning curve.

    Args:
        task: of its recipe.
        table: as `results.learning_curve.load_curve` returns it.

    Returns:
        A row for each number of pictures, fewest first: pictures, trainings (how many), epochs, the task's main
        metric, which are means, and its standard deviation `<metric>_std`.
    """
    # by their place, since groups that stay together may make a quarter a little smaller in one repeat
    sizes = table.groupby("repeat")["pictures"].rank(method="first").astype(int)
    parts = table.groupby(sizes)
    return pd.DataFrame(
        {
            "pictures": parts["pictures"].mean().round().astype(int),
            "trainings": parts.size(),
            "epochs": parts["epochs"].mean(),
            task.metric: parts[task.metric].mean(),
            f"{task.metric}_std": parts[task.metric].std(),
        }
    ).reset_index(drop=True)


class Gain(NamedTuple):
    """By how much the error is lower with all pictures than with half of them, and how much of that luck makes.

    Luck has two parts: which validation pictures judge, and the first weights, the order and the choice of the
    training pictures, which differ from repeat to repeat.
    """

    value: float
    luck: float


def measure_gain(table: pd.DataFrame) -> Gain:
    """Measure the gain from half of the pictures to all, from a learning curve as it was loaded."""
    last = table.groupby("repeat").tail(1)
    between = float(last["gain"].var()) / len(last) if len(last) > 1 else 0.0
    return Gain(float(last["gain"].mean()), LUCK * math.sqrt((last["gain_error"] ** 2).mean() + between))


def choose_range(task: Task, table: pd.DataFrame) -> tuple[float, float]:
    """Choose the ends of an axis of the metric, so wide that luck does not look like a gain."""
    margin = 2 * measure_gain(table).luck or WIDTH_WITHOUT_LUCK
    low, high = max(0.0, table[task.metric].min() - margin), table[task.metric].max() + margin
    return low, min(1.0, high) if task.greater_is_better else high


def judge_curve(task: Task, table: pd.DataFrame) -> list[Sentence]:
    """Say whether more pictures help: the gain from half of the pictures to all, beside what luck makes.

    Args:
        task: of the recipe.
        table: as `results.learning_curve.load_curve` returns it.

    Returns:
        One to three sentences.
    """
    summary = summarize_curve(task, table)
    gain, luck = measure_gain(table)
    before, after = summary[task.metric].iloc[-2:]
    values = {
        "half": f"{summary['pictures'].iloc[-2]:,}",
        "all": f"{summary['pictures'].iloc[-1]:,}",
        "metric": Sentence(METRICS[task]),
        "luck": format_value(task.metric, luck),
    }
    figures = {"before": before, "after": after, "gain": gain, "loss": -gain, "most": gain + luck}
    values |= {name: format_value(task.metric, value) for name, value in figures.items()}
    error = task.error(after)
    if error == 0:
        told = [Sentence(NO_ERROR_LEFT, {"all": values["all"]})]
    elif gain > luck:
        further = error * (1 - error / task.error(before))
        told = [
            Sentence(HELPS, values),
            Sentence(EXTRAPOLATION, {"next": format_value(task.metric, further)}),
        ]
    else:
        told = [Sentence(WORSE if gain < -luck else UNCLEAR, values)]
    return [*told, Sentence(ONE_TRAINING)] if table["repeat"].nunique() == 1 else told
