"""Training a recipe with other seeds, by the same workers as the trials of a search."""

from collections.abc import Callable, Iterable
from typing import Any

from image_recipes.core.errors import UserError
from image_recipes.search.jobs import Job, Outcome
from image_recipes.search.workers import Ended, Workers


def train_seeds(
    recipe: str, params: dict[str, Any], seeds: Iterable[int], workers: Workers, tell: Callable[[int, Outcome], None]
) -> None:
    """Train a recipe with each seed, and score each model on all three splits.

    Args:
        recipe: its name.
        params: of params.yaml.
        seeds: of the trainings.
        workers: who train.
        tell: is called with each seed and what came of it.

    Raises:
        UserError: a training failed.
    """
    jobs = iter(Job(seed, recipe, params, seed, "val_loss", scores=True) for seed in seeds)
    busy = 0
    while True:
        while busy < workers.count and (job := next(jobs, None)):
            workers.start(job)
            busy += 1
        if not busy:
            return
        for event in workers.wait():
            if not isinstance(event, Ended):
                continue
            busy -= 1
            if event.outcome.state != "finished":
                raise UserError(f"{recipe}: seed {event.job.seed}: {event.outcome.reason}")
            tell(event.job.seed, event.outcome)
