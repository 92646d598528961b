"""A recipe of params.yaml: what it may hold, and its architecture, without Keras."""

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from image_recipes.core.errors import UserError
from image_recipes.core.params import PARAMS_FILE, Count, Rate, Section, Text, read_section, validate
from image_recipes.core.tasks import TASKS, Task

# the file that stands for weights drawn at random, since DVC wants one
RANDOM = "data/weights/random"
WEIGHTS_FOLDER = Path("data/weights")
# below it, of each dataset: what frozen networks make of its pictures
FEATURES_FOLDER = Path("data/features")
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
    """A class of `keras.layers` by name, with its arguments."""

    class_name: str
    arguments: dict[str, Any]


def _as_layer(value: Any) -> Layer:
    if isinstance(value, str):
        return Layer(value, {})
    if isinstance(value, dict) and len(value) == 1:
        ((class_name, arguments),) = value.items()
        arguments = {} if arguments is None else arguments
        names = [class_name, *arguments] if isinstance(arguments, dict) else [None]
        if all(isinstance(name, str) for name in names):
            return Layer(class_name, arguments)
    raise ValueError("a layer is its Keras name with its arguments, such as `Dense: {units: 10}`, or the name alone")


Layers = Annotated[list[Annotated[Layer, BeforeValidator(_as_layer)]], Field(min_length=1)]


class StoppingSettings(Section):
    """Arguments of `keras.callbacks.EarlyStopping`; only the validation pictures decide."""

    monitor: Text
    patience: Count
    restore_best_weights: bool


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
    class_weight: Literal["balanced"] | None = None
    standardize_targets: bool = False
    early_stopping: StoppingSettings | None = None
    fine_tuning: FineTuning | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "RecipeSettings":
        if self.fine_tuning and self.start_from == RANDOM:
            raise ValueError("fine_tuning: random weights are trained from the start: remove it, or set start_from")
        if self.augmentation and self.jit_compile is True:
            raise ValueError("jit_compile: XLA cannot compile augmentation: give auto or false")
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


def find_unsuited(settings: RecipeSettings, task: Task) -> list[str]:
    """Find settings that are not for the task of the recipe's dataset, as lines of key and remedy."""
    others = {key for other in TASKS.values() for key in other.options} - set(task.options)
    lines = [
        f"{key}: not for {task.name}, which {settings.dataset} is for: remove it"
        for key in sorted(others)
        if getattr(settings, key)
    ]
    stopping = settings.early_stopping
    if stopping and stopping.monitor not in task.stopping_monitors:
        lines.append(
            f"early_stopping.monitor: no {stopping.monitor!r} for {task.name}, which {settings.dataset} is for: "
            f"give {' or '.join(task.stopping_monitors)}"
        )
    return lines


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
