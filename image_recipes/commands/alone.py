"""One command at a time: those that change params.yaml and what DVC tracks."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from image_recipes.core.errors import UserError


@contextmanager
def alone(verb: str) -> Iterator[None]:
    """Let one process at a time run this block in a project; the lock ends with the process.

    Args:
        verb: of the command, for the message.

    Raises:
        UserError: another process is in such a block.
    """
    # the folder itself, so that no file is left
    lock = os.open(".", os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise UserError(f"another `image-recipes {verb}` works in this project: wait for its end") from None
    except OSError:
        # a file system without locks
        pass
    try:
        yield
    finally:
        os.close(lock)
