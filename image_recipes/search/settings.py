"""A search of params.yaml: what it may hold, and whether it fits the rest of the file, without Keras."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Discriminator, Field, Tag, model_validator

from image_recipes.core.errors import UserError, did_you_mean, show_value
from image_recipes.core.params import PARAMS_FILE, Count, Section, Text, read_section, validate
from image_recipes.core.tasks import Task
from image_recipes.models.recipe import Layers, RecipeSettings, list_monitors
from image_recipes.search.paths import Path, get_value, parse_path, with_value

SECTION = "searches"
TEST_PREFIX = "test_"
# of a recipe: what a trial may not change
NOT_SEARCHED = {
    "dataset": "all trials are judged by the same pictures: write a search for each dataset",
    "folds": "a trial trains on all training pictures: remove it",
}
# a pruner compares trials at the same epoch, and the first ones say nothing
LEAST_EPOCHS = {"none": 1, "median": 4, "hyperband": 9}
# significant ones, of numbers in steps
DIGITS_OF_STEPS = 7

Number = Annotated[int | float, Field(allow_inf_nan=False)]


class Range(Section):
    """Numbers from `low` to `high`, both included; whole ones if both are whole.

    Attributes:
        step: between two numbers; any number without, or any whole one.
        log: as likely in each power of ten, which is for numbers such as learning rates.
    """

    low: Number
    high: Number
    step: Annotated[Number, Field(gt=0)] | None = None
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether the numbers are whole."""
        return all(isinstance(value, int) for value in (self.low, self.high, self.step or 1))

    @property
    def values(self) -> list[Number] | None:
        """The numbers, first to last, where they can be counted."""
        step = self.step or (1 if self.whole and not self.log else None)
        if step is None:
            return None
        count = math.floor((self.high - self.low) / step * (1 + 1e-9)) + 1
        # 0.1 + 2 · 0.1 is more than 0.3
        return [self.low + step * place if self.whole else _round(self.low + step * place) for place in range(count)]

    @model_validator(mode="after")
    def _holds_numbers(self) -> "Range":
        if self.low >= self.high:
            raise ValueError(f"an empty range, {self.low} to {self.high}: give a low below the high")
        if self.log and self.low <= 0:
            raise ValueError(f"low: {self.low} has no logarithm: give more than 0, or remove log")
        if self.log and self.step:
            raise ValueError("step: numbers by their logarithm have none: remove step or log")
        if self.step and self.step > self.high - self.low:
            raise ValueError(f"step: {self.step} is larger than the range, {self.low} to {self.high}: give less")
        return self


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS_OF_STEPS}g}")


def _kind_of_values(value: Any) -> str:
    return "range" if isinstance(value, (dict, Range)) else "choices"


Choices = Annotated[list[Any], Field(min_length=1)]
Values = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")],
    Discriminator(_kind_of_values),
]


class SearchSettings(Section):
    """The section `searches.<name>`; only the validation pictures judge.

    Attributes:
        recipe: the one whose params are varied.
        metric: of the validation pictures, such as `val_loss`, by which trials are compared.
        mode: whether less or more of it is better, where the task does not say.
        sampler: all combinations in order, any, or those that seem best after what was tried (TPE).
        pruner: what stops a training early that is worse than others were after as many epochs.
        trials: how many, at most.
        seeds: trainings for each; the metric is their mean.
        space: by path, what is tried.
    """

    recipe: Text
    metric: Text
    mode: Literal["min", "max"] | None = None
    sampler: Literal["grid", "random", "tpe"]
    pruner: Literal["none", "median", "hyperband"]
    trials: Count
    seeds: Annotated[Count, Field(le=1_000)]
    space: Annotated[dict[Text, Values], Field(min_length=1)]


class Search(NamedTuple):
    """A search: its name, its settings, and the params that it varies."""

    name: str
    settings: SearchSettings
    params: dict[str, Any]

    @property
    def key(self) -> str:
        """Where the settings stand, for errors."""
        return f"{PARAMS_FILE}: {SECTION}.{self.name}"

    def at(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the params of a trial.

        Args:
            values: by path.
        """
        params = self.params
        for path, value in values.items():
            params = with_value(params, parse_path(path), value)
        return params


def load_search(name: str, params: dict[str, Any]) -> Search:
    """Load a search that `find_misfits` has passed.

    Raises:
        UserError: there is none of this name, or it does not validate.
    """
    return Search(name, validate(SearchSettings, read_section(SECTION, name), f"{SECTION}.{name}"), params)


def find_direction(settings: SearchSettings, task: Task) -> Literal["min", "max"] | None:
    """Find whether less or more of a search's metric is better; None where nobody says so."""
    known: dict[str, Literal["min", "max"]] = {
        "val_loss": "min",
        f"val_{task.metric}": "max" if task.greater_is_better else "min",
    }
    return known.get(settings.metric, settings.mode)


def find_misfits(search: Search, task: Task) -> list[str]:
    """Find what does not fit the rest of params.yaml, as lines of key and remedy.

    Args:
        search: whose recipe is valid.
        task: of that recipe's dataset.
    """
    settings, params = search.settings, search.params
    recipe = validate(RecipeSettings, params["recipes"][settings.recipe], f"recipes.{settings.recipe}")
    monitors = list_monitors(recipe, task)
    lines = []
    if settings.metric.startswith(TEST_PREFIX):
        lines.append(
            f"metric: {settings.metric} is of the test pictures, which are for the end: what is chosen by them looks "
            f"better than it is: give {' or '.join(monitors)}"
        )
    elif settings.metric not in monitors:
        lines.append(f"metric: no {show_value(settings.metric)}: give {' or '.join(monitors)}")
    elif find_direction(settings, task) is None:
        lines.append(f"mode: missing: say whether less or more of {settings.metric} is better: add min or max")
    elif settings.mode and find_direction(settings, task) != settings.mode:
        lines.append(f"mode: {settings.mode} would look for the worst {settings.metric}: remove it")
    for path, values in settings.space.items():
        lines += [f"space.{path}: {line}" for line in _find_misfits_of(search, path, values)]
    if lines:
        return lines
    least, fewest = LEAST_EPOCHS[settings.pruner], _fewest_epochs(search)
    if fewest < least:
        lines.append(
            f"pruner: {settings.pruner} needs {least} epochs at least, not {fewest}: give none, or more epochs"
        )
    if settings.sampler == "grid":
        uncountable = [path for path, values in settings.space.items() if list_values(values) is None]
        lines += [f"space.{path}: a grid has no end of it: give a step, or a list" for path in uncountable]
        points = math.prod(len(list_values(values) or ()) for values in settings.space.values())
        if not uncountable and points > settings.trials:
            lines.append(
                f"trials: the grid has {points:,} points, not {settings.trials:,}: give {points}, or fewer values"
            )
    return lines


def list_values(values: Range | list[Any]) -> list[Any] | None:
    """List what a path may hold, where that can be counted."""
    return values.values if isinstance(values, Range) else values


def _find_misfits_of(search: Search, path: str, values: Range | list[Any]) -> list[str]:
    try:
        parts = parse_path(path)
        get_value(search.params, parts)
    except ValueError as error:
        return [str(error)]
    if reason := _find_reason(search, parts):
        return [reason]
    ends = [values.low, values.high] if isinstance(values, Range) else values
    choices = values if isinstance(values, list) else []
    if repeated := [value for place, value in enumerate(choices) if value in choices[:place]]:
        return [f"{show_value(repeated[0])} stands there twice: remove one"]
    if whole := _find_whole(search, path, parts):
        return [f"lies in {whole}, which is tried as a whole: remove one of the two"]
    lines = []
    for value in ends:
        try:
            check_trial(search, {path: value})
        except UserError as error:
            lines += [f"with {show_value(value)}: {line.removeprefix(f'{PARAMS_FILE}: ')}" for line in error.args]
    return lines


def _find_whole(search: Search, path: str, parts: Path) -> str | None:
    """Return another path of the space that this one leads into."""
    for other in search.settings.space:
        try:
            whole = parse_path(other)
        except ValueError:
            continue
        if other != path and parts[: len(whole)] == whole:
            return other
    return None


def _find_reason(search: Search, parts: Path) -> str | None:
    """Return why a path is not for a search, if it is not."""
    section, *rest = parts
    if section == "recipes":
        if rest[:1] != [search.settings.recipe] or len(rest) < 2:
            return f"not of the recipe {search.settings.recipe}: give `recipes.{search.settings.recipe}.` and a key"
        return NOT_SEARCHED.get(str(rest[1]))
    if section == "architectures" and len(rest) > 1:
        return None
    if section == "architectures":
        return f"choose between whole architectures by `recipes.{search.settings.recipe}.architecture`"
    if section == "seed":
        return "a lucky seed is no better recipe: remove it, and say in `seeds` how often each trial is trained"
    return "give a path of the recipe or of its architecture"


def check_trial(search: Search, values: Mapping[str, Any]) -> None:
    """Check that params with other values are valid ones.

    Args:
        search: whose params they are.
        values: by path.

    Raises:
        UserError: they are not.
    """
    params, name = search.at(values), search.settings.recipe
    settings = validate(RecipeSettings, params["recipes"][name], f"recipes.{name}")
    known = params["architectures"]
    if settings.architecture not in known:
        where = f"{PARAMS_FILE}: recipes.{name}.architecture: no architecture {show_value(settings.architecture)}"
        raise UserError(f"{where}: {did_you_mean(settings.architecture, map(str, known))}")
    validate(Layers, known[settings.architecture], f"architectures.{settings.architecture}")
    for path in values:
        section, architecture, *_ = parse_path(path)
        if section == "architectures":
            validate(Layers, known[architecture], f"architectures.{architecture}")


def _fewest_epochs(search: Search) -> int:
    path = f"recipes.{search.settings.recipe}.epochs"
    values = search.settings.space.get(path)
    if values is None:
        return int(get_value(search.params, parse_path(path)))
    return int(values.low) if isinstance(values, Range) else min(map(int, values))
