"""Having DVC track files."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from image_recipes.core.errors import UserError
from image_recipes.core.files import write_text

# how folders were when DVC tracked them last; Git passes the folder over
STATES = Path(".dvc/tmp/image-recipes")


def track(path: Path, *options: str) -> None:
    """Run `dvc add` on a file or a folder, and say so.

    Raises:
        UserError: it fails, with what DVC says.
    """
    known = STATES / f"{path.name}.txt"
    if known.exists() and path.is_dir() and known.read_text() == fingerprint(path):
        # DVC would look at each file's hash, which takes long for many
        print(f"{path}.dvc: DVC tracks {path}")
        return
    command = ["dvc", "add", *options, str(path)]
    done = subprocess.run([sys.executable, "-m", *command], text=True, capture_output=True)
    if done.returncode:
        raise UserError(f"{' '.join(command)} failed: {' '.join(done.stderr.split())}")
    if path.is_dir():
        write_text(fingerprint(path), known)
    print(f"{path}.dvc: DVC tracks {path}")


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
