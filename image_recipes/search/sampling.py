"""What Optuna is asked: which values to try next, and whether a training is hopeless."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from image_recipes.search.settings import DIGITS_OF_STEPS, Range, SearchSettings, list_values

# what Optuna takes as a choice by itself
PLAIN = (bool, int, float, str, type(None))
# significant ones, of numbers that are tried
DIGITS = 4
# so many trials at random come first: of TPE, and before the median says anything
TRIALS_AT_RANDOM, TRIALS_BEFORE_MEDIAN = 10, 5


def as_distributions(settings: SearchSettings) -> dict[str, BaseDistribution]:
    """Return a search's space as Optuna has it, by path."""
    return {path: _as_distribution(values) for path, values in settings.space.items()}


def as_values(params: dict[str, Any], settings: SearchSettings) -> dict[str, Any]:
    """Return what stands in params.yaml for the params of an Optuna trial.

    A number is rounded, so that a table of seven digits has it exactly and it can be read.
    """
    return {path: _as_value(settings.space[path], value) for path, value in params.items()}


def lies_in(params: Mapping[str, Any], distributions: Mapping[str, BaseDistribution]) -> bool:
    """Tell whether the params of an Optuna trial lie in a space of the same paths."""
    try:
        inner = {path: space.to_internal_repr(params[path]) for path, space in distributions.items()}
    except ValueError:
        # of another type, or none of the choices
        return False
    return all(space._contains(inner[path]) for path, space in distributions.items())


def make_sampler(settings: SearchSettings, seed: int, number: int) -> BaseSampler:
    """Make the sampler of one trial, seeded by its number, so that a search that is stopped goes on alike.

    Args:
        settings: of the search.
        seed: of params.yaml.
        number: the trial's.
    """
    # numbers of two seeds meet nowhere near
    own = (seed * 1_000_003 + number) % 2**32
    if settings.sampler == "tpe":
        return TPESampler(seed=own, n_startup_trials=TRIALS_AT_RANDOM)
    return RandomSampler(seed=own)


def make_pruner(settings: SearchSettings, epochs: int) -> BasePruner:
    """Make what stops hopeless trainings.

    Args:
        settings: of the search.
        epochs: of the longest training.
    """
    if settings.pruner == "median":
        return MedianPruner(n_startup_trials=TRIALS_BEFORE_MEDIAN, n_warmup_steps=max(1, epochs // 4))
    if settings.pruner == "hyperband":
        return HyperbandPruner(min_resource=max(1, epochs // 9), max_resource=epochs)
    return NopPruner()


def list_grid(settings: SearchSettings) -> Iterator[dict[str, Any]]:
    """Go through all combinations of a space, the last path's values fastest, as Optuna has them."""
    values = [
        [_as_choice(value) for value in list_values(given) or ()] if isinstance(given, list) else list_values(given)
        for given in settings.space.values()
    ]
    for combination in itertools.product(*(given or () for given in values)):
        yield dict(zip(settings.space, combination, strict=True))


def silence() -> None:
    """Let Optuna say nothing but warnings: our own lines say it."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _as_distribution(values: Range | list[Any]) -> BaseDistribution:
    if isinstance(values, list):
        return CategoricalDistribution([_as_choice(value) for value in values])
    # the last number in steps, which may be less than the end
    high = values.values[-1] if values.step and values.values else values.high
    if values.whole:
        return IntDistribution(int(values.low), int(high), log=values.log, step=int(values.step or 1))
    return FloatDistribution(float(values.low), float(high), log=values.log, step=values.step)


def _as_value(values: Range | list[Any], value: Any) -> Any:
    if not isinstance(values, Range):
        return _find_choice(values, value)
    if isinstance(value, int):
        return value
    # those in steps are as exact as their step
    rounded = float(f"{value:.{DIGITS if values.step is None else DIGITS_OF_STEPS}g}")
    return min(max(rounded, values.low), values.high)


def _as_choice(value: Any) -> Any:
    return value if isinstance(value, PLAIN) else json.dumps(value)


def _find_choice(choices: Any, choice: Any) -> Any:
    return next(value for value in choices if _as_choice(value) == choice and type(_as_choice(value)) is type(choice))
