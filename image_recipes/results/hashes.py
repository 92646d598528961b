"""The hashes by which DVC knows files and folders."""

from pathlib import Path

from dvc_data.hashfile.build import build
from dvc_data.hashfile.db import HashFileDB
from dvc_objects.fs import LocalFileSystem, MemoryFileSystem


def hash_as_dvc(path: Path) -> str:
    """Return the MD5 of a file or a folder, as DVC computes it and dvc.lock shows it.

    Raises:
        OSError: it cannot be read.
    """
    cache = HashFileDB(MemoryFileSystem(), "memory://unused")
    _, _, found = build(cache, str(path), LocalFileSystem(), "md5", dry_run=True)
    return str(found.hash_info.value)
