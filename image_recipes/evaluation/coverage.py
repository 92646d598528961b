"""Whether sets and intervals hold what they promise."""

from collections.abc import Callable, Mapping

import numpy as np

from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, Task
from image_recipes.evaluation.intervals import wilson_interval
from image_recipes.models.reliability import Judgement
from image_recipes.results.metrics import Metrics

# tells of regions and targets, (N,), which regions hold their target, bool (N,)
HOLDS: Mapping[Task, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    CLASSIFICATION: lambda region, targets: region[np.arange(len(targets)), targets],
    REGRESSION: lambda region, targets: (region[:, 0] <= targets) & (targets <= region[:, 1]),
}
# the metric's name for how much regions leave open, and how it is computed
SIZES: Mapping[Task, tuple[str, Callable[[np.ndarray], float]]] = {
    CLASSIFICATION: ("set_size", lambda region: float(region.sum(axis=1).mean())),
    REGRESSION: ("interval_width", lambda region: float((region[:, 1] - region[:, 0]).mean())),
}


def measure_coverage(task: Task, judgement: Judgement, targets: np.ndarray) -> Metrics:
    """Measure for which share of pictures sets or intervals hold the true answer, and how wide they are.

    Args:
        task: of the model.
        judgement: of N pictures.
        targets: (N,).

    Returns:
        coverage with the ends of its 95 % interval (Wilson), coverage_low and coverage_high; set_size (classes on
        average) or interval_width; unfamiliar, the share of pictures unlike those trained on. None for what is not
        known, since there were too few validation pictures.
    """
    name, size = SIZES[task]
    unfamiliar = float(judgement.unfamiliar.mean())
    if judgement.region is None:
        return {**dict.fromkeys(["coverage", "coverage_low", "coverage_high", name]), "unfamiliar": unfamiliar}
    held = HOLDS[task](judgement.region, targets)
    low, high = wilson_interval(int(held.sum()), len(held))
    return {
        "coverage": float(held.mean()),
        "coverage_low": low,
        "coverage_high": high,
        name: size(judgement.region),
        "unfamiliar": unfamiliar,
    }
