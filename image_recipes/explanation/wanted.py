"""The key `heatmaps` of params.yaml: whether heat maps are wanted."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from image_recipes.core.params import read_section, validate

KEY = "heatmaps"


def _check_switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"give true or false, not {value!r}")
    return value


Switch = Annotated[bool, BeforeValidator(_check_switch)]


def load_wanted() -> bool:
    """Load whether heat maps are wanted.

    Raises:
        UserError: the key is missing, or is neither true nor false.
    """
    return validate(Switch, read_section(KEY), KEY)
