"""Bringing pictures into data/raw, all of them or none."""

import filecmp
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from image_recipes.core.errors import UserError
from image_recipes.core.params import PARAMS_FILE
from image_recipes.data.picture_folder import visible_files

SAID = {
    "new": "new",
    "changed": "changed",
    "same": "as before",
    "kept": "only in {folder}, which stay there (--mirror removes them)",
    "removed": "removed",
}


class CopyOptions(NamedTuple):
    """How pictures are copied.

    Attributes:
        link: make symbolic links in place of copies.
        mirror: remove what was added before and is no longer there; else it stays, except links to nothing.
        dry_run: only say what would be done.
        follow_links: take what links lead to that leave their folder.
    """

    link: bool = False
    mirror: bool = False
    dry_run: bool = False
    follow_links: bool = False


class Copies(NamedTuple):
    """What has to be done to bring a folder up to date.

    Attributes:
        folder: below data/raw.
        wanted: what is to be copied there, by the path in it: a file, or the content of one.
        gone: files in it that are to be removed.
        counts: of files, by the keys of SAID.
    """

    folder: Path
    wanted: Mapping[str, Path | bytes]
    gone: list[Path]
    counts: Counter[str]

    def describe(self, in_place: bool) -> str:
        """Say in words what changes; in place, what else lies there is a person's own."""
        kept = SAID["kept"].partition(" (")[0] if in_place else SAID["kept"]
        said = {state: words.format(folder=self.folder) for state, words in {**SAID, "kept": kept}.items()}
        return ", ".join(f"{self.counts[state]:,} {said[state]}" for state in SAID if self.counts[state]) or "nothing"


def plan_copies(sources: Mapping[str, Path | bytes], folder: Path, options: CopyOptions) -> Copies:
    """Find out what has to be copied.

    A file of the same size and time of change is the same; else its content decides.

    Args:
        sources: by the path in the folder: a file, which may be missing, or the content of one.
        folder: below data/raw.
        options: how.
    """
    counts: Counter[str] = Counter()
    wanted = {}
    for name, source in sources.items():
        state = _compare(source, folder / name)
        if state is None:
            continue  # the run will name it
        counts[state] += 1
        if state != "same":
            wanted[name] = source
    gone = []
    for name, broken in visible_files(folder) if folder.is_dir() else ():
        if broken or name not in sources:
            # DVC cannot track a link whose picture is gone
            state = "removed" if options.mirror or broken else "kept"
            counts[state] += 1
            if state == "removed":
                gone.append(folder / name)
    return Copies(folder, wanted, gone, counts)


def _compare(source: Path | bytes, target: Path) -> str | None:
    """Return a key of SAID for a file and what is to be there; None if that is missing."""
    new = _stat(source) if isinstance(source, Path) else None
    if isinstance(source, Path) and (new is None or not S_ISREG(new.st_mode)):
        return None
    old = _stat(target)
    if old is None:
        return "new"
    if not isinstance(source, Path) or new is None:
        return "same" if target.read_bytes() == source else "changed"
    if old.st_size != new.st_size:
        return "changed"
    same = old.st_mtime_ns == new.st_mtime_ns or filecmp.cmp(source, target, shallow=False)
    return "same" if same else "changed"


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except (OSError, ValueError):  # too long for a name, or with a zero in it
        return None


@contextmanager
def copied(copies: Copies, link: bool) -> Iterator[None]:
    """Copy files beside the folder, then move them into place; if the block fails, put everything back.

    What was copied before the process was killed is used again.

    Args:
        copies: what is to be done.
        link: make symbolic links in place of copies.

    Raises:
        UserError: a file cannot be copied.
    """
    folder, stage = copies.folder, _stage_of(copies.folder)
    before = {file: file.read_bytes() for file in _files_of_others(folder) if file.exists()}
    moved: list[tuple[Path, Path]] = []
    # as Ctrl-C does
    handler = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        for name, source in copies.wanted.items():
            _copy(source, stage / "new" / name, link)
        for path in copies.gone:
            _move(path, stage / "old" / path.relative_to(folder), moved)
        for name in copies.wanted:
            if (target := folder / name).exists():
                _move(target, stage / "old" / name, moved)
            _move(stage / "new" / name, target, moved)
        yield
    except BaseException as error:
        for source, target in reversed(moved):
            _move(target, source, [])
        for file in _files_of_others(folder):
            if file in before:
                file.write_bytes(before[file])
            else:
                file.unlink(missing_ok=True)
        shutil.rmtree(stage, ignore_errors=True)
        _remove_empty(folder)
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            raise UserError(f"{error.filename or folder}: {error.strerror}: nothing was changed") from None
        raise
    finally:
        signal.signal(signal.SIGTERM, handler)
    shutil.rmtree(stage, ignore_errors=True)


def recover(folder: Path) -> None:
    """Put back what an `add` that was killed had taken out of a folder.

    Args:
        folder: below data/raw.
    """
    old = _stage_of(folder) / "old"
    for file in sorted(old.rglob("*")):
        if file.is_file() or file.is_symlink():
            _move(file, folder / file.relative_to(old), [])
    shutil.rmtree(old, ignore_errors=True)


def _stage_of(folder: Path) -> Path:
    return folder.with_name(f".partial-{folder.name}")


def _files_of_others(folder: Path) -> list[Path]:
    """Return the files that `add` and DVC write beside the pictures."""
    return [PARAMS_FILE, folder.with_name(f"{folder.name}.dvc"), folder.with_name(".gitignore")]


def _copy(source: Path | bytes, target: Path, link: bool) -> None:
    if target.is_symlink() == link and _compare(source, target) == "same":
        return
    target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, bytes):
        target.write_bytes(source)
    elif link:
        target.symlink_to(source.resolve())
    else:
        shutil.copy2(source, target)


def _move(source: Path, target: Path, moved: list[tuple[Path, Path]]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
    moved.append((source, target))


def _remove_empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()
    for path in (folder, folder.parent):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
