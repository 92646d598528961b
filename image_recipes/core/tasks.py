"""What a task is: one record for each.

What a folder does for each task stands in tables of that folder, keyed by these records: `LABELS`
(data/labels.py), `HEADS` (models/build.py), `ANSWERS`, `FIGURES_OF` and `LOSSES` (training/trivial.py),
`RESULTS`, `EVALUATION`, `COMPARISON`, `FIGURES`, `REPORT` and `COMMANDS` (by_task.py in the folder of that name).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """What is predicted, and by what it is judged.

    Attributes:
        name: as in params.yaml and dataset.json.
        metric: the main one, by which recipes are compared, such as `accuracy`.
        greater_is_better: of that metric; such a metric is at most 1.
        loss: Keras's name of the loss that training minimizes.
        training_metrics: Keras's names of what training shows beside the loss.
        progress_metric: the figure of the validation pictures that progress shows.
        options: keys of a recipe that are for this task alone.
    """

    name: str
    metric: str
    greater_is_better: bool
    loss: str
    training_metrics: tuple[str, ...]
    progress_metric: str
    options: tuple[str, ...]

    @property
    def stopping_monitors(self) -> tuple[str, ...]:
        """What early stopping may watch: figures of the validation pictures.

        >>> CLASSIFICATION.stopping_monitors
        ('val_loss', 'val_accuracy')
        """
        return tuple(f"val_{name}" for name in ("loss", *self.training_metrics))

    def error(self, value: float) -> float:
        """Turn a value of the main metric into an error, of which less is better: 1 - accuracy, or mse.

        >>> CLASSIFICATION.error(0.75)
        0.25
        """
        return 1 - value if self.greater_is_better else value


CLASSIFICATION = Task(
    name="classification",
    metric="accuracy",
    greater_is_better=True,
    loss="sparse_categorical_crossentropy",
    training_metrics=("accuracy",),
    progress_metric="val_accuracy",
    options=("class_weight",),
)
REGRESSION = Task(
    name="regression",
    metric="mse",
    greater_is_better=False,
    loss="mse",
    training_metrics=(),
    progress_metric="val_loss",
    options=("standardize_targets",),
)
TASKS = {task.name: task for task in (CLASSIFICATION, REGRESSION)}
