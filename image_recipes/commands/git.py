"""Asking Git."""

import subprocess

from image_recipes.core.errors import UserError


def ask_git(*words: str) -> str:
    """Run a command of Git that reads, and return what it prints.

    Raises:
        UserError: there is no Git, or it refuses.
    """
    try:
        done = subprocess.run(["git", *words], capture_output=True, check=False)
    except OSError as error:
        raise UserError(f"git: {error.strerror}") from None
    if done.returncode:
        raise UserError(f"git: {' '.join(decode(done.stderr).split())}")
    return decode(done.stdout)


def decode(printed: bytes) -> str:
    """Decode what Git prints: UTF-8 whatever the locale, but for names of files from elsewhere."""
    return printed.decode("utf-8", "surrogateescape")
