"""What came of a recipe: is it better than what needs no network, or was nothing learned?"""

import math
from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

import pandas as pd

from image_recipes.comparison.by_task import COMPARISON
from image_recipes.comparison.sentences import Sentence
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.tasks import Task
from image_recipes.results.metrics import Metrics
from image_recipes.results.names import show_name
from image_recipes.results.tables import BASELINE

# an environment variable, by which `image-recipes repro` keeps for its end what `compare` would print
TOLD_LATER = "IMAGE_RECIPES_VERDICTS_LATER"
# the p values are those of the table of pairs
BETTER = "better than {rival} ({figure}), p (Holm) {p}"
AS_GOOD = "no better than {rival} ({figure}) as far as the test can show: a simpler model does as well"
WORSE = "worse than {rival} ({figure}), p (Holm) {p}: a simpler model does better"
NOTHING = "no better than {rival} ({figure}): nothing was learned that the test can show"
NOTHING_BUT_COULD = (
    "no better than {rival} ({figure}) and worse than {other} ({other_figure}): "
    "nothing was learned that the test can show"
)
WHERE_TO_LOOK = "docs/judging.md#when-nothing-was-learned"
SMALLEST_SHOWN_P = 0.001
# of more recipes, such as a sweep's, the best and those that have learned nothing are told
MOST_TOLD = 8


class Outcome(Enum):
    """What came of a recipe, as several are counted."""

    BETTER = "better than the best baseline"
    SIMPLER = "no better than a simpler model"
    NOTHING = "learned nothing that the test can show"


class Verdict(NamedTuple):
    """What is said of a recipe: its figure, and beside which baseline; no more than the first if there is none."""

    figure: Sentence
    judgement: Sentence | None
    outcome: Outcome | None

    def __str__(self) -> str:
        return f"{self.figure}, {self.judgement}" if self.judgement else str(self.figure)


def judge_recipes(
    info: DatasetInfo,
    metrics: Mapping[str, Metrics],
    baseline_metrics: Mapping[str, Metrics],
    baselines: Mapping[str, pd.DataFrame],
    pairs: pd.DataFrame,
) -> dict[str, Verdict]:
    """Judge recipes of a dataset by the tests of pairs with its baselines.

    Args:
        info: the dataset's.
        metrics: of the recipes, by name.
        baseline_metrics: of the baselines, by name.
        baselines: their predictions, by name.
        pairs: as `compare_pairs` returns them, of these recipes and baselines among others. A
            baseline that a recipe was not tested against is passed over.

    Returns:
        By recipe. It has learned nothing if it is not better than the baseline that looks at no
        picture, and is better if it is so than that and the one of the least test error.
    """
    comparison, pictures = COMPARISON[info.task], int(pairs["pictures"].iloc[0])
    rivals = {
        name: {
            "rival": Sentence(text, {"answer": show_name(str(baselines[name]["predicted"].iloc[0]))}),
            "figure": comparison.show_figure(baseline_metrics[name], pictures),
            "error": _error(info.task, baseline_metrics[name], "test"),
        }
        for name, text in comparison.baselines.items()
        if name in baseline_metrics and name in baselines
    }
    tests = {(row["first"], row["second"]): row for row in pairs.to_dict("records")}
    verdicts = {}
    for recipe, values in metrics.items():
        met = {
            name: {**rival, **_read_test(tests[recipe, BASELINE + name])}
            for name, rival in rivals.items()
            if (recipe, BASELINE + name) in tests
        }
        judgement, outcome = _judge(list(met.values()), comparison.worse_than_trivial) if met else (None, None)
        verdicts[recipe] = Verdict(comparison.tell_figure(values, pictures, info), judgement, outcome)
    return verdicts


def _read_test(row: Mapping[Any, Any]) -> dict[str, Any]:
    p = row["p_holm"]
    return {
        "p": f"< {SMALLEST_SHOWN_P}" if p < SMALLEST_SHOWN_P else f"= {p:.2g}",
        # a table that was read again has NaN where neither is better
        "better": row["better"] == row["first"],
        "worse": row["better"] == row["second"],
    }


def _judge(rivals: list[dict[str, Any]], worse_than_trivial: str) -> tuple[Sentence, Outcome]:
    trivial, best = rivals[0], min(rivals, key=lambda rival: rival["error"])
    if best["better"] and trivial["better"]:
        return Sentence(BETTER, best), Outcome.BETTER
    if trivial["better"]:
        return Sentence(WORSE if best["worse"] else AS_GOOD, best), Outcome.SIMPLER
    if trivial["worse"]:
        return Sentence(worse_than_trivial, trivial), Outcome.NOTHING
    if best["worse"]:
        other = {"other": best["rival"], "other_figure": best["figure"]}
        return Sentence(NOTHING_BUT_COULD, {**trivial, **other}), Outcome.NOTHING
    return Sentence(NOTHING, trivial), Outcome.NOTHING


def choose_best(task: Task, metrics: Mapping[str, Metrics]) -> str:
    """Choose the best recipe by the validation pictures: the test is for the end.

    Of equal ones, such as two that are right for all of a few pictures, it is the one of the least loss.
    """
    return min(metrics, key=lambda name: (_error(task, metrics[name], "val"), _loss(metrics[name])))


def _loss(metrics: Metrics) -> float:
    loss = metrics.get("val_loss")
    return math.inf if loss is None else loss


def _error(task: Task, metrics: Metrics, prefix: str) -> float:
    value = metrics[f"{prefix}_{task.metric}"]
    return math.inf if value is None else task.error(value)


def tell_verdicts(verdicts: Mapping[str, Verdict], best: str) -> list[str]:
    """Tell what came of recipes, in a few lines.

    Args:
        verdicts: by recipe.
        best: the name of the best one.

    Returns:
        A line for each recipe and one for the best; of many, how many there are of each outcome,
        and the lines of the first that have learned nothing. Where one has, the last says where to look.
    """
    failed = [recipe for recipe, verdict in verdicts.items() if verdict.outcome is Outcome.NOTHING]
    told = list(verdicts) if len(verdicts) <= MOST_TOLD else failed[:MOST_TOLD]
    lines = [f"{recipe}: {verdicts[recipe]}" for recipe in told]
    if len(verdicts) > MOST_TOLD:
        counts = Counter(verdict.outcome for verdict in verdicts.values())
        shares = [f"{counts[outcome]:,} {outcome.value}" for outcome in Outcome if counts[outcome]]
        lines.insert(0, f"{len(verdicts):,} recipes: {', '.join(shares)}")
        lines += [f"and {len(failed) - len(told):,} more that learned nothing"] if len(failed) > len(told) else []
        lines.append(f"best on the validation pictures: {best}: {verdicts[best]}")
    elif len(verdicts) > 1:
        lines.append(f"best on the validation pictures: {best}, {verdicts[best].figure}")
    return [*lines, f"what to look at next: {WHERE_TO_LOOK}"] if failed else lines
