"""params.yaml: what each section may hold, and reading one section at a time.

A stage reads only the sections that dvc.yaml declares for it, so that a change elsewhere
reruns nothing. `checks.py` reads the whole file.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from image_recipes.errors import UserError, did_you_mean

PARAMS_FILE = Path("params.yaml")
# what the keys of a section name, for errors
KINDS = {"datasets": "dataset", "recipes": "recipe", "architectures": "architecture"}

Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Rate = Annotated[float, Field(gt=0)]
SplitName = Literal["train", "validation", "test"]


class Section(BaseModel):
    """Base of every section: types are strict, and an unknown key is refused."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, values: Any) -> Any:
        unknown = [key for key in values if key not in cls.model_fields] if isinstance(values, dict) else []
        if unknown:
            raise PydanticCustomError(
                "unknown_key",
                "{hint}",
                {"hint": f"unknown key {unknown[0]!r}: {did_you_mean(unknown[0], cls.model_fields)}"},
            )
        return values


class Split(Section):
    """How many pictures each part gets."""

    train: Count
    validation: Count
    test: Count


class MnistDataset(Section):
    """The handwritten digits: 60,000 official training and 10,000 test pictures."""

    source: Literal["mnist"]
    task: Literal["classification"]
    raw: str
    samples: SplitName
    split: Split

    @model_validator(mode="after")
    def _split_fits(self) -> "MnistDataset":
        wanted = self.split.train + self.split.validation
        if wanted > 60_000:
            raise ValueError(
                f"split: train + validation is {wanted:,}, but MNIST has 60,000 training pictures: lower one of them"
            )
        if self.split.test > 10_000:
            raise ValueError(f"split: test is {self.split.test:,}, but MNIST has 10,000 test pictures: lower it")
        return self


class DotsDataset(Section):
    """Dots thrown at random on a square grid; the label is the number of throws."""

    source: Literal["dots"]
    task: Literal["regression"]
    raw: str
    seed: Seed
    size: Annotated[int, Field(ge=1, le=256)]
    samples: SplitName
    split: Split


Dataset = MnistDataset | DotsDataset
DATASETS: dict[str, type[Dataset]] = {"mnist": MnistDataset, "dots": DotsDataset}


class Schedule(BaseModel):
    """A class of `keras.optimizers.schedules` by name, beside its arguments."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")
    name: str


class Optimizer(BaseModel):
    """A class of `keras.optimizers` by name, beside its arguments."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")
    name: str
    learning_rate: Annotated[
        Annotated[Rate, Tag("rate")] | Annotated[Schedule, Tag("schedule")],
        Discriminator(lambda value: "schedule" if isinstance(value, dict) else "rate"),
    ]


class Recipe(Section):
    """One model: an architecture trained on a dataset."""

    dataset: str
    architecture: str
    epochs: Count
    batch_size: Count
    optimizer: Optimizer


class Layer(NamedTuple):
    """A class of `keras.layers` by name, with its arguments."""

    kind: str
    arguments: dict[str, Any]


def _as_layer(value: Any) -> Layer:
    if isinstance(value, str):
        return Layer(value, {})
    if isinstance(value, dict) and len(value) == 1:
        ((kind, arguments),) = value.items()
        if isinstance(kind, str) and (arguments is None or isinstance(arguments, dict)):
            return Layer(kind, arguments or {})
    raise ValueError("a layer is its Keras name with its arguments, such as `Dense: {units: 10}`, or the name alone")


Architecture = Annotated[list[Annotated[Layer, BeforeValidator(_as_layer)]], Field(min_length=1)]


def read_params(file: Path = PARAMS_FILE) -> dict[str, Any]:
    """Read the whole file as plain values, unvalidated.

    Raises:
        UserError: the file is missing, is not YAML, or holds no mapping.
    """
    try:
        params = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{file}: not found: run this in the project's folder") from None
    except MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{file}{line}: not valid YAML: {error.problem}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: not valid YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(params, dict):
        raise UserError(f"{file}: must hold the keys seed, datasets, recipes and architectures")
    return params


def read_section(*path: str) -> Any:
    """Read one section of params.yaml, unvalidated.

    Args:
        path: the keys that lead to it, such as `"recipes", "mnist_mlp"`.

    Raises:
        UserError: there is no such section.
    """
    section: Any = read_params()
    for depth, key in enumerate(path):
        known = section if isinstance(section, dict) else {}
        if key not in known:
            where = ".".join(path[:depth])
            kind = KINDS.get(where, "key")
            raise UserError(
                f"{PARAMS_FILE}: {where or 'top level'}: no {kind} {key!r}: {did_you_mean(key, map(str, known))}"
            )
        section = known[key]
    return section


def load_seed() -> int:
    """Load the seed of training.

    Raises:
        UserError: as all loaders here: the section is missing or does not validate.
    """
    return validate(Seed, read_section("seed"), "seed")


def load_dataset(name: str) -> Dataset:
    """Load a dataset's settings."""
    return validate_dataset(name, read_section("datasets", name))


def load_recipe(name: str) -> Recipe:
    """Load a recipe, without its architecture."""
    return validate(Recipe, read_section("recipes", name), f"recipes.{name}")


def load_dataset_name(recipe: str) -> str:
    """Load the name of a recipe's dataset, and nothing else of the recipe."""
    return validate(str, read_section("recipes", recipe, "dataset"), f"recipes.{recipe}.dataset")


def load_architecture(name: str) -> list[Layer]:
    """Load an architecture's layers, first to last."""
    section = read_section("architectures", name)
    return validate(Architecture, section, f"architectures.{name}")


def validate_dataset(name: str, section: Any) -> Dataset:
    """Validate a dataset's settings by the schema of its source."""
    source = section.get("source") if isinstance(section, dict) else None
    if source not in DATASETS:
        raise UserError(
            f"{PARAMS_FILE}: datasets.{name}.source: no source {source!r}: {did_you_mean(source, DATASETS)}"
        )
    return validate(DATASETS[source], section, f"datasets.{name}")


def validate(schema: Any, section: Any, where: str) -> Any:
    """Validate a section.

    Args:
        schema: a pydantic model or annotated type.
        section: plain values from the file.
        where: the section's own key, such as `recipes.mnist_mlp`.

    Returns:
        What the schema makes of the section.

    Raises:
        UserError: one line for each finding, with the key and the remedy.
    """
    try:
        return TypeAdapter(schema).validate_python(section)
    except ValidationError as error:
        lines = dict.fromkeys(_describe(detail, section, where) for detail in error.errors())
        raise UserError("\n".join(lines)) from None


def _describe(detail: ErrorDetails, section: Any, where: str) -> str:
    key = where
    for position, part in enumerate(detail["loc"]):
        inside = part in section if isinstance(section, dict) else isinstance(part, int)
        # pydantic adds the tag of a union's member to the path: no key of the file
        if inside or (detail["type"] == "missing" and position == len(detail["loc"]) - 1):
            key += f".{part}"
            section = section[part] if inside else None
    value, context = detail["input"], detail.get("ctx", {})
    given = (
        f"not {value!r}"
        if not isinstance(value, (dict, list))
        else f"not a {'mapping' if isinstance(value, dict) else 'list'}"
    )
    messages = {
        "missing": "missing: add it",
        "int_type": f"give a whole number, {given}",
        "float_type": f"give a number, {given}",
        "string_type": f"give a text, {given}",
        "list_type": f"give a list, {given}",
        "too_short": "give at least one",
        "model_type": f"give a mapping of keys, {given}",
        "greater_than_equal": f"give at least {context.get('ge')}, {given}",
        "less_than_equal": f"give at most {context.get('le')}, {given}",
        "greater_than": f"give more than {context.get('gt')}, {given}",
        "less_than": f"give less than {context.get('lt')}, {given}",
        "literal_error": f"give {context.get('expected')}, {given}",
    }
    message = messages.get(detail["type"], detail["msg"].removeprefix("Value error, "))
    return f"{PARAMS_FILE}: {key}: {message}"
