"""A recipe of params.yaml: what it may hold, and its architecture, without Keras."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from image_recipes.core.errors import UserError, show_value
from image_recipes.core.params import PARAMS_FILE, Count, Rate, Section, Text, read_section, validate
from image_recipes.core.tasks import TASKS, Task
from image_recipes.models.objective import (
    LOSSES,
    Component,
    class_name_of,
    find_unsuited_loss,
    find_unsuited_metrics,
)

# the file that stands for weights drawn at random, since DVC wants one
RANDOM = "data/weights/random"
WEIGHTS_FOLDER = Path("data/weights")
# below it, of each dataset: what frozen networks make of its pictures
FEATURES_FOLDER = Path("data/features")
# of each recipe: the states of trainings that were stopped
UNFINISHED_FOLDER = Path("data/unfinished")
# what an architecture may hold beside classes of Keras: groups of layers
GROUPS = RESIDUAL, REPEAT = "Residual", "Repeat"
MOST_REPEATS = 1_000
LAYER_EXAMPLE = "a layer is its Keras name with its arguments, such as `Dense: {units: 10}`, or the name alone"
# names of layers that a model has beside those listed
BACKBONE, HEAD, UNIT = "backbone", "head", "unit"


class Schedule(BaseModel):
    """A class of `keras.optimizers.schedules` by name, beside its arguments."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")
    name: Text


class Optimizer(BaseModel):
    """A class of `keras.optimizers` by name, beside its arguments."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")
    name: Text
    learning_rate: Annotated[
        Annotated[Rate, Tag("rate")] | Annotated[Schedule, Tag("schedule")],
        Discriminator(lambda value: "schedule" if isinstance(value, (dict, Schedule)) else "rate"),
    ]


class Layer(NamedTuple):
    """A class of `keras.layers` by name, with its arguments; or a group, with its layers among these."""

    class_name: str
    arguments: dict[str, Any]

    @property
    def layers(self) -> "tuple[Layer, ...]":
        """The layers of a group; none of a class."""
        return self.arguments["layers"] if self.class_name in GROUPS else ()


def walk(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Go through layers, each group before those in it."""
    for layer in layers:
        yield layer
        yield from walk(layer.layers)


def _as_layer(value: Any) -> Layer:
    class_name, arguments = _as_named(value)
    if class_name == RESIDUAL:
        return Layer(class_name, {"layers": _as_group(arguments, class_name)})
    if class_name == REPEAT:
        given = arguments if isinstance(arguments, dict) else {}
        times = given.get("times")
        if set(given) != {"times", "layers"} or type(times) is not int or not 1 <= times <= MOST_REPEATS:
            raise ValueError(
                f"{REPEAT} takes how often, 1 to {MOST_REPEATS}, and what, such as "
                f"`{REPEAT}: {{times: 3, layers: [{{Dense: {{units: 10}}}}]}}`"
            )
        return Layer(class_name, {"times": times, "layers": _as_group(given["layers"], class_name)})
    if isinstance(arguments, dict) and all(isinstance(name, str) for name in arguments):
        return Layer(class_name, arguments)
    raise ValueError(LAYER_EXAMPLE)


def _as_group(value: Any, class_name: str) -> tuple[Layer, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{class_name} takes a list of layers, such as `{class_name}: [{{Dense: {{units: 10}}}}]`")
    layers = []
    for number, item in enumerate(value):
        try:
            layers.append(_as_layer(item))
        except ValueError as error:
            raise ValueError(f"layer {number} of {class_name}: {error}") from None
    return tuple(layers)


def _as_named(value: Any) -> tuple[str, Any]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, dict) and len(value) == 1:
        ((class_name, arguments),) = value.items()
        if isinstance(class_name, str):
            return class_name, {} if arguments is None else arguments
    raise ValueError(LAYER_EXAMPLE)


Layers = Annotated[list[Annotated[Layer, BeforeValidator(_as_layer)]], Field(min_length=1)]


def _as_component(value: Any) -> Component:
    try:
        class_name, arguments = _as_named(value)
    except ValueError:
        class_name, arguments = "", None
    if not isinstance(arguments, dict) or not all(isinstance(name, str) for name in arguments):
        raise ValueError("give its Keras name with its arguments, such as `Huber: {delta: 1.0}`, or the name alone")
    return Component(class_name_of(class_name), arguments)


KerasComponent = Annotated[Component, BeforeValidator(_as_component)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# YAML reads a class such as 7 as a number
ClassName = Annotated[str, BeforeValidator(lambda name: str(name) if type(name) in (int, float) else name)]


def _kind_of_weights(value: Any) -> str:
    return "by class" if isinstance(value, dict) else "by frequency"


ClassWeight = Annotated[
    Annotated[Literal["balanced"], Tag("by frequency")]
    | Annotated[dict[ClassName, Weight], Field(min_length=1), Tag("by class")],
    Discriminator(_kind_of_weights),
]


class StoppingSettings(Section):
    """Arguments of `keras.callbacks.EarlyStopping`; only the validation pictures decide."""

    monitor: Text
    patience: Count
    restore_best_weights: bool
    # whether less or more is better, where Keras does not know it of a metric
    mode: Literal["min", "max"] | None = None


class PlateauSettings(Section):
    """Arguments of `keras.callbacks.ReduceLROnPlateau`; only the validation pictures decide."""

    monitor: Text
    factor: Annotated[Rate, Field(lt=1)]
    patience: Count
    min_lr: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    min_delta: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    cooldown: Annotated[int, Field(ge=0, le=10**9)] | None = None
    mode: Literal["min", "max"] | None = None


class FineTuning(Section):
    """A second training, of all layers, after one in which the backbone is frozen."""

    epochs: Count
    optimizer: Optimizer


class RecipeSettings(Section):
    """The section `recipes.<name>`; keys below the optimizer may be left out."""

    dataset: Text
    architecture: Text
    # a file of weights or a model for the architecture's backbone; RANDOM for none
    start_from: Text
    epochs: Count
    batch_size: Count
    precision: Literal["float32", "mixed_bfloat16"]
    # as Keras's `compile` has it
    jit_compile: Literal["auto", True, False]
    optimizer: Optimizer
    augmentation: Layers | None = None
    # as Keras has them in `compile`; without: what the task's record says
    loss: KerasComponent | None = None
    # beside the task's own
    metrics: Annotated[list[KerasComponent], Field(min_length=1)] | None = None
    class_weight: ClassWeight | None = None
    standardize_targets: bool = False
    early_stopping: StoppingSettings | None = None
    reduce_lr_on_plateau: PlateauSettings | None = None
    fine_tuning: FineTuning | None = None
    # of cross-validation, beside the training that makes the model
    folds: Annotated[int, Field(ge=2, le=100)] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "RecipeSettings":
        if self.fine_tuning and self.start_from == RANDOM:
            raise ValueError("fine_tuning: random weights are trained from the start: remove it, or set start_from")
        if self.augmentation and self.jit_compile is True:
            raise ValueError("jit_compile: XLA cannot compile augmentation: give auto or false")
        if self.folds == 2 and (self.early_stopping or self.reduce_lr_on_plateau):
            raise ValueError("folds: one judges, one is for early stopping or the plateau, and none is left: give 3")
        phases = {"optimizer": self.optimizer, "fine_tuning.optimizer": self.fine_tuning and self.fine_tuning.optimizer}
        for key, optimizer in phases.items():
            if self.reduce_lr_on_plateau and optimizer and isinstance(optimizer.learning_rate, Schedule):
                raise ValueError(
                    f"reduce_lr_on_plateau: {key}.learning_rate is a schedule, which sets the rate itself: "
                    "give a number, or remove one of both"
                )
        return self


class Recipe(NamedTuple):
    """One model: its name, its settings, and the layers of its architecture, first to last."""

    name: str
    settings: RecipeSettings
    layers: list[Layer]

    @property
    def key(self) -> str:
        """Where the settings stand, for errors."""
        return f"{PARAMS_FILE}: recipes.{self.name}"

    def with_settings(self, **changes: Any) -> "Recipe":
        """Return the same recipe with some settings changed, which are not validated again."""
        return self._replace(settings=self.settings.model_copy(update=changes))

    @property
    def architecture_key(self) -> str:
        """Where the layers stand, for errors."""
        return f"{PARAMS_FILE}: architectures.{self.settings.architecture}"


def load_recipe(name: str) -> Recipe:
    """Load a recipe with its architecture.

    Raises:
        UserError: there is no such recipe or architecture, or it does not validate.
    """
    settings = validate(RecipeSettings, read_section("recipes", name), f"recipes.{name}")
    architecture = settings.architecture
    section = read_section("architectures", architecture)
    return Recipe(name, settings, validate(Layers, section, f"architectures.{architecture}"))


def recipe_of(params: dict[str, Any], name: str) -> Recipe:
    """Return a recipe of params that are not those of the file, such as a search's, and have been checked.

    Raises:
        UserError: it does not validate.
    """
    settings = validate(RecipeSettings, params["recipes"][name], f"recipes.{name}")
    layers = params["architectures"][settings.architecture]
    return Recipe(name, settings, validate(Layers, layers, f"architectures.{settings.architecture}"))


def find_unsuited(settings: RecipeSettings, task: Task) -> list[str]:
    """Find settings that are not for the task of the recipe's dataset, as lines of key and remedy."""
    others = {key for other in TASKS.values() for key in other.options} - set(task.options)
    lines = [
        f"{key}: not for {task.name}, which {settings.dataset} is for: remove it"
        for key in sorted(others)
        if getattr(settings, key)
    ]
    if settings.loss:
        lines += find_unsuited_loss(settings.loss, task, settings.standardize_targets)
    lines += find_unsuited_metrics(settings.metrics or [], task)
    monitors = list_monitors(settings, task)
    for key in ("early_stopping", "reduce_lr_on_plateau"):
        watching = getattr(settings, key)
        if watching and watching.monitor not in monitors:
            lines.append(
                f"{key}.monitor: no {show_value(watching.monitor)} for {task.name}, which {settings.dataset} is for: "
                f"give {' or '.join(monitors)}"
            )
    return lines


def list_monitors(settings: RecipeSettings, task: Task) -> list[str]:
    """List the figures of the validation pictures that a training shows, `val_loss` first."""
    judged = [progress_metric(settings, task)]
    own = [f"val_{metric.name}" for metric in settings.metrics or ()]
    return list(dict.fromkeys([*task.stopping_monitors, *judged, *own]))


def progress_metric(settings: RecipeSettings, task: Task) -> str:
    """Return the figure of the validation pictures by which progress is judged: the task's main metric.

    Of numbers it is the loss, unless a recipe has another loss.
    """
    if task.progress_metric == "val_loss" and has_own_loss(settings, task):
        return f"val_{task.metric}"
    return task.progress_metric


def has_own_loss(settings: RecipeSettings, task: Task) -> bool:
    """Tell whether a recipe has another loss than its task's own, which stands first among its losses."""
    return settings.loss is not None and settings.loss.class_name != next(iter(LOSSES[task]))


def check_loads_weights(name: str, where: str = "") -> None:
    """Check that a network of keras.applications can start from a file of its ImageNet weights.

    Args:
        name: the network's.
        where: the key in params.yaml that asks for it, for the error.

    Raises:
        UserError: it cannot.
    """
    if name.startswith("EfficientNetB"):
        raise UserError(
            f"{where}: {name}".removeprefix(": ") + " cannot start from a file of weights, since Keras makes another "
            "network for those of ImageNet: take one of EfficientNetV2, such as EfficientNetV2B0"
        )
