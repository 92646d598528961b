"""Having DVC track files."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text

# how folders were when DVC tracked them last; Git passes the folder over
STATES = Path(".dvc/tmp/image-recipes")
# what DVC says where it could not store a file: the half of it that it leaves, and why
HALF_STORED = re.compile(r" -> '([^'\n]+\.tmp)'")
REASON = re.compile(r"failed to transfer '\w+' - (?:\[Errno \d+\] )?([^:]+)")


def track(path: Path, *options: str) -> None:
    """Run `dvc add` on a file or a folder, and say so.

    Raises:
        UserError: it fails, with what DVC says; then nothing of it is left.
    """
    known = STATES / f"{path.name}.txt"
    stored = known.exists() and Path(f"{path}.dvc").exists() and path.is_dir()
    if stored and known.read_text() == fingerprint(path):
        # DVC would look at each file's hash, which takes long for many
        print(f"{path}.dvc: DVC tracks {path}")
        return
    beside = [Path(f"{path}.dvc"), path.with_name(".gitignore")]
    before = {file: file.read_bytes() for file in beside if file.exists()}
    try:
        add_to_cache(path, *options)
    except BaseException:
        for file in beside:
            file.unlink(missing_ok=True)
            if file in before:
                file.write_bytes(before[file])
        raise
    if path.is_dir():
        write_text(fingerprint(path), known)
    print(f"{path}.dvc: DVC tracks {path}")


def add_to_cache(path: Path, *options: str) -> None:
    """Run `dvc add` on a file or a folder, and see that DVC's cache has all of it.

    DVC itself says that it has succeeded where the disk of its cache was full.

    Raises:
        UserError: it fails, with what DVC says, or something is not in the cache.
    """
    command = ["dvc", "add", *options, str(path)]
    # there, since the path may be of another project
    in_place = [sys.executable, "-m", *command[:-1], path.name]
    done = subprocess.run(in_place, cwd=path.parent, text=True, capture_output=True)
    reason = " ".join(done.stderr.split())
    if done.returncode:
        raise UserError(f"{' '.join(command)} failed: {reason}")
    wrong = _find_wrong(path)
    if not wrong:
        return
    for left in HALF_STORED.findall(done.stderr):
        Path(left).unlink(missing_ok=True)
    if wrong[0].exists():
        raise UserError(f"{wrong[0]}: damaged, an object of DVC's cache: remove it, and do this again")
    failed = REASON.search(reason)
    why = f"could not be stored by DVC: {failed[1]}" if failed else "missing, though DVC has stored it"
    raise UserError(f"{path}: {len(wrong):,} files of it, such as {wrong[0]}: {why}: mend that, and do this again")


def _find_wrong(path: Path) -> list[Path]:
    """Return what is missing of a path in DVC's cache, or is damaged there."""
    # here, since DVC takes a second to import
    from dvc.repo import Repo

    with Repo(str(path.parent)) as repo:
        place = repo.cache.local.oid_to_path
        [out] = YAML(typ="safe", pure=True).load(Path(f"{path}.dvc").read_text("utf-8"))["outs"]
        hashes = [out["md5"]]
        if path.is_dir():
            listed = Path(place(out["md5"]))
            try:
                hashes = [entry["md5"] for entry in json.loads(listed.read_bytes())]
            except (OSError, ValueError, KeyError, TypeError):
                return [listed]
        files = {md5: Path(place(md5)) for md5 in hashes}
    missing = [file for file in files.values() if not file.exists()]
    if missing or sum(files[md5].stat().st_size for md5 in hashes) == out["size"]:
        return missing
    return [file for md5, file in files.items() if hashlib.md5(file.read_bytes()).hexdigest() != md5]


def fingerprint(path: Path) -> str:
    """Return what changes with any file below a folder that DVC has tracked.

    That is its name, size, times and place on disk, and what DVC has recorded.
    """
    digest = hashlib.sha256(Path(f"{path}.dvc").read_bytes())
    for place, folders, names in os.walk(path, followlinks=True):
        folders.sort()
        for name in sorted(names):
            # cheaper than a Path for each
            file = os.path.join(place, name)  # noqa: PTH118
            # of a link what it leads to, which DVC tracks
            state = os.stat(file) if os.path.exists(file) else os.lstat(file)  # noqa: PTH110, PTH116
            said = f"{name} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns} {state.st_ino}"
            digest.update(os.fsencode(said))
    return digest.hexdigest()
