"""Locks, so that no two processes write the same files."""

import errno
import os
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
# what a file system says that another process holds a lock, on Linux, macOS or Windows
HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}


class NoLocksError(Exception):
    """The file system knows no locks, as some network file systems do not."""


@contextmanager
def wait_for_lock(name: str) -> Iterator[None]:
    """Hold the lock of a name; while another process holds it, wait, and say for whom.

    Args:
        name: of what is written, such as the stage `train@mnist_cnn`.

    Raises:
        OSError: the lock's file cannot be written.
    """
    file, told = _make_folder(name), False
    while True:
        with _tried(file) as free:
            if free:
                yield
                return
        if not told:
            print(f"{name}: waits for {_holder(file)}, which writes the same files", file=sys.stderr, flush=True)
            told = True
        time.sleep(SECONDS_BETWEEN_TRIES)


@contextmanager
def hold_lock(name: str, work: str) -> Iterator[None]:
    """Hold the lock of a name, or refuse.

    Args:
        name: of what is written.
        work: what another process may be doing, for the error.

    Raises:
        UserError: another process holds it.
        OSError: the lock's file cannot be written.
    """
    file = _make_folder(name)
    with _tried(file) as free:
        if not free:
            raise UserError(f"{_holder(file)} is {work}: wait until it has ended")
        yield


def try_lock(file: Path) -> LockFile | None:
    """Lock a file; None where another process holds it.

    Raises:
        NoLocksError: as it says.
        OSError: the file cannot be written.
    """
    try:
        return LockFile(str(file))
    except LockError as error:
        # zc.lockfile says no more than that it is not locked
        cause = error.__context__
        if isinstance(cause, OSError) and cause.errno not in HELD:
            raise NoLocksError(os.strerror(cause.errno or errno.ENOLCK)) from None
        return None


@contextmanager
def _tried(file: Path) -> Iterator[bool]:
    """Tell whether a lock is free, and hold it if it is."""
    try:
        lock = try_lock(file)
    except NoLocksError as error:
        print(f"warning: {file}: {error}: see that nothing else writes the same files", file=sys.stderr, flush=True)
        yield True
        return
    try:
        yield lock is not None
    finally:
        if lock:
            lock.close()


def _make_folder(name: str) -> Path:
    LOCKS_FOLDER.mkdir(parents=True, exist_ok=True)
    return LOCKS_FOLDER / f"{name}.lock"


def _holder(file: Path) -> str:
    try:
        number = file.read_text("utf-8").strip()
    except OSError:
        # Windows locks its content too
        number = ""
    return f"process {number}" if number else "another process"
