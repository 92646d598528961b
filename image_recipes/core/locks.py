"""Locks, so that no two processes write the same files."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zc.lockfile import LockError, LockFile

from image_recipes.core.errors import UserError

# the operating system frees a lock when its holder ends, however it does; the file stays
LOCKS_FOLDER = Path("data/locks")
SECONDS_BETWEEN_TRIES = 0.5


@contextmanager
def wait_for_lock(name: str) -> Iterator[None]:
    """Hold the lock of a name; while another process holds it, wait, and say for whom.

    Args:
        name: of what is written, such as the stage `train@mnist_cnn`.
    """
    told = False
    while (lock := _try(name)) is None:
        if not told:
            print(f"{name}: waits for {_holder(name)}, which writes the same files", file=sys.stderr, flush=True)
            told = True
        time.sleep(SECONDS_BETWEEN_TRIES)
    try:
        yield
    finally:
        lock.close()


@contextmanager
def hold_lock(name: str, work: str) -> Iterator[None]:
    """Hold the lock of a name, or refuse.

    Args:
        name: of what is written.
        work: what another process may be doing, for the error.

    Raises:
        UserError: another process holds it.
    """
    if (lock := _try(name)) is None:
        raise UserError(f"{_holder(name)} is {work}: wait until it has ended")
    try:
        yield
    finally:
        lock.close()


def try_lock(file: Path) -> LockFile | None:
    """Lock a file; None where another process holds it, its folder is gone, or the file system knows no locks."""
    try:
        return LockFile(str(file))
    except (LockError, OSError):
        return None


def _file_of(name: str) -> Path:
    return LOCKS_FOLDER / f"{name}.lock"


def _try(name: str) -> LockFile | None:
    LOCKS_FOLDER.mkdir(parents=True, exist_ok=True)
    return try_lock(_file_of(name))


def _holder(name: str) -> str:
    number = _file_of(name).read_text("utf-8").strip()
    return f"process {number}" if number else "another process"
