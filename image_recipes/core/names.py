"""The names of datasets, recipes and architectures: each is a part of paths and of DVC's keys."""

import re

from image_recipes.core.errors import UserError, show_value


def check_plain(where: str, name: object) -> None:
    """Check that a name is a plain one.

    Args:
        where: the section that holds it, such as `recipes`, or the stage that it is for.
        name: as YAML has it.

    Raises:
        UserError: it has other signs than paths, DVC and shells leave alone.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise UserError(
            f"params.yaml: {where}: name {show_value(name)}: use letters, digits and underscores, a letter first"
        )
