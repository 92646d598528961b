"""Packages that are not installed with the rest, since few need them."""

from collections.abc import Iterable
from importlib.util import find_spec

from image_recipes.core.errors import UserError, how_to_install


def require(extra: str, modules: Iterable[str]) -> None:
    """Check that an extra of pyproject.toml is installed.

    Args:
        extra: its name, such as `export`.
        modules: what is to be imported of it.

    Raises:
        UserError: one of them is missing; says how to install them.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise UserError(f"{', '.join(missing)}: not installed: {how_to_install(extra)}")
