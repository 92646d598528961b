"""What is handed out to those who train, and what comes back."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

# cut off: by something that is not the trial's fault, such as a full disk
State = Literal["finished", "stopped early", "failed", "cut off"]


class Job(NamedTuple):
    """A training to do.

    Attributes:
        trial: the number of its trial.
        recipe: its name.
        params: of params.yaml, with the trial's values.
        seed: of this training.
        metric: Keras's name of the figure that judges.
        reports: whether it is said after each epoch, for a pruner.
        scores: whether the trained model is scored on all three splits, which is not for choosing.
    """

    trial: int
    recipe: str
    params: dict[str, Any]
    seed: int
    metric: str
    reports: bool = False
    scores: bool = False


class Outcome(NamedTuple):
    """What came of a training.

    Attributes:
        state: whether it came to its end.
        value: the figure that judges, of the model it has made; None without one.
        epochs: how many it has trained.
        seconds: how long it took.
        reason: of a failure.
        parameters: of its model, those that are not trained included; None of one that has had no epoch.
        scores: of its model by split and metric, such as `test_mse`, if they were wanted.
    """

    state: State
    value: float | None
    epochs: int
    seconds: float
    reason: str | None = None
    parameters: int | None = None
    scores: Mapping[str, float] = {}
