"""Writing files whole or not at all."""

import contextlib
import csv
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zc.lockfile import LockFile

from image_recipes.core.errors import UserError
from image_recipes.core.locks import NoLocksError, try_lock

if TYPE_CHECKING:
    import pandas as pd

# of the folders that files are written in
PREFIX = ".partial-whole-"
# in such a folder, what is locked while it is in use, and what was there before; how often one is made at most
LOCK, BEFORE, MOST_TRIES = f"{PREFIX}lock", f"{PREFIX}before", 5
# so many links may lead on to each other, as on Linux
MOST_LINKS = 40
# a library that fails with less left on the disk, in bytes, has failed for that, whatever it says
NO_SPACE = 1 << 20
# of a full disk, without the number that Python has for it
NUMPY_SAYS = ("Not enough free space to write", "requested and")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to that is this call's own, and move what is there into place at the end.

    Works for a file and for a folder; what was there before is replaced. If the block
    raises, the half-written part is removed and what was there before stays. What processes that
    were killed have left beside it is removed, too.

    A link stays and what it leads to is written, unless that is an object of DVC's cache. A device or
    a pipe, such as /dev/stdout, is written to directly.

    Args:
        path: where the finished file or folder belongs; its parents are made.

    Yields:
        The path to write to; its name is the wanted one.

    Raises:
        UserError: a folder is where a file is wanted, or a file where a folder is wanted.
        OSError: it cannot be written; names the wanted path, and the reason.
    """
    target = _follow(path)
    if _is_stream(target):
        with _naming(path, target.parent):
            yield target
        return
    if target.name in ("", ".."):
        target = target.resolve()
    with _own_folder(path, target.parent) as folder, _naming(path, folder):
        partial = folder / target.name
        yield partial
        _move(partial, target, path)


def _follow(path: Path) -> Path:
    """Return what a path leads to by links; a link into DVC's cache leads nowhere, since its objects may not change."""
    target = path
    for _ in range(MOST_LINKS):
        if not target.is_symlink() or _is_stream(target):
            return target
        further = target.parent / target.readlink()
        if further.parent.parent.parts[-2:] == ("files", "md5"):
            return target
        target = further
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _is_stream(path: Path) -> bool:
    """Tell whether a path is a device, a pipe or an open file of a process, such as /dev/stdout."""
    if path.is_symlink():
        return path.parent.resolve().is_relative_to("/proc")
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _own_folder(path: Path, parent: Path) -> Iterator[Path]:
    """Make a folder that this call alone writes in, and lock it, by which others see that it is in use."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for left in parent.glob(f"{PREFIX}*"):
            _remove_unused(left)
        folder, lock = _make_locked(parent)
    except OSError as error:
        # a file among its parents is there already, and no folder
        number = errno.ENOTDIR if error.errno == errno.EEXIST else error.errno or errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from error
    try:
        yield folder
    finally:
        if lock:
            lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def _make_locked(parent: Path) -> tuple[Path, LockFile | None]:
    for _ in range(MOST_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        try:
            lock = try_lock(folder / LOCK)
        except NoLocksError:
            # nobody takes it for unused
            return folder, None
        except FileNotFoundError:
            lock = None
        # another may have removed it before it was locked
        if lock and folder.exists():
            return folder, lock
        shutil.rmtree(folder, ignore_errors=True)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(parent))


def _remove_unused(folder: Path) -> None:
    # it may go meanwhile, or be another's
    with contextlib.suppress(OSError, NoLocksError):
        if not folder.is_symlink() and (lock := try_lock(folder / LOCK)):
            lock.close()
            shutil.rmtree(folder, ignore_errors=True)


def _move(partial: Path, target: Path, path: Path) -> None:
    if not partial.is_dir():
        refuse_folder(target, path)
        partial.replace(target)
        return
    if target.exists() and not target.is_dir():
        raise UserError(f"{path}: is a file, and a folder is to be written: name another place, or remove the file")
    # a folder cannot be replaced at once; what was there goes with this call's own folder
    before = partial.with_name(BEFORE)
    if target.exists():
        target.replace(before)
    try:
        partial.replace(target)
    except BaseException:
        if before.exists() and not target.exists():
            before.replace(target)
        raise


def refuse_folder(target: Path, named: Path | None = None) -> None:
    """Refuse a folder where a file is to be written.

    Args:
        target: where.
        named: as it was given, if not so.

    Raises:
        UserError: it is one.
    """
    if target.is_dir():
        shown = named or target
        raise UserError(f"{shown}: is a folder, and a file is to be written: name a file in it, or remove the folder")


@contextmanager
def _naming(path: Path, folder: Path) -> Iterator[None]:
    """Have errors name what was to be written, not where in a folder it is meanwhile, nor what is copied into it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        if number is None and (is_full(folder) or any(said in str(error) for said in NUMPY_SAYS)):
            number = errno.ENOSPC
        named, place = _names(error), folder.absolute()
        inside = [name.relative_to(place).parts[1:] for name in named if name.is_relative_to(place)]
        if number is None or (named and not inside):
            raise
        wanted = path.joinpath(*(inside[-1] if inside else _last_written(folder)))
        raise OSError(number, os.strerror(number), str(wanted)) from error


def _last_written(folder: Path) -> tuple[str, ...]:
    """Return what was being written in a folder that is to be moved into place; nothing for a file."""
    files = [file for file in folder.glob("*/**/*") if file.is_file()] if folder.name.startswith(PREFIX) else []
    last = max(files, key=lambda file: file.stat().st_mtime_ns, default=None)
    return last.relative_to(folder).parts[1:] if last else ()


def _names(error: Exception) -> list[Path]:
    names = [getattr(error, "filename", None), getattr(error, "filename2", None)]
    return [Path(os.fsdecode(name)).absolute() for name in names if isinstance(name, (str, bytes, os.PathLike))]


def is_full(folder: Path) -> bool:
    """Tell whether the disk that a folder is on has no space left."""
    try:
        return shutil.disk_usage(folder).free < NO_SPACE
    except OSError:
        return False


def reserve(file: Path) -> None:
    """Have the disk set aside all of a file to be written by a memory map, which a full disk would kill.

    Raises:
        OSError: there is no space for it.
    """
    # macOS knows no such call
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)


def write_text(text: str, file: Path) -> None:
    """Write a text file as UTF-8, whole or not at all."""
    with written_whole(file) as partial:
        partial.write_text(text, encoding="utf-8")


def save_table(table: "pd.DataFrame", file: Path) -> None:
    """Write a table as CSV, whole or not at all; numbers with seven digits, about those of float32."""
    with written_whole(file) as partial:
        table.to_csv(partial, index=False, float_format="%.7g", quoting=choose_quoting(table))


def choose_quoting(table: "pd.DataFrame") -> Literal[0, 2]:
    """Choose how texts are quoted in CSV so that they can be read back: all of them, if one has a carriage return.

    Python's writer leaves that one as it is, and readers take it for the end of a line.
    """
    texts = [table[name].astype(str) for name in table.select_dtypes(exclude="number")]
    found = any("\r" in str(name) for name in table) or any(text.str.contains("\r").any() for text in texts)
    return csv.QUOTE_NONNUMERIC if found else csv.QUOTE_MINIMAL
