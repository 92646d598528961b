"""What two readings are possible of is asked once on a terminal, and refused elsewhere."""

import sys
from collections.abc import Mapping

import typer

from image_recipes.core.errors import UserError


def choose(question: str, options: Mapping[str, str]) -> str:
    """Ask which reading is meant.

    Args:
        question: what is not clear, with the file.
        options: of the command line, of which each decides for a reading, and what that is.

    Returns:
        One of the options.

    Raises:
        UserError: nobody sits at a terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(f"{question}: decide by {', or '.join(f'{key} ({text})' for key, text in options.items())}")
    print(f"{question}:")
    for number, (key, text) in enumerate(options.items(), 1):
        print(f"  {number}. {text} ({key})")
    while not 1 <= (answer := typer.prompt("which one", type=int)) <= len(options):
        print(f"{answer} is not in the range from 1 to {len(options)}")
    return list(options)[answer - 1]
