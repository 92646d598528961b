"""Having DVC track files."""

import os
import subprocess
import sys
from pathlib import Path

from image_recipes.core.errors import UserError
from image_recipes.core.params import read_yaml


def track(path: Path, *options: str) -> None:
    """Run `dvc add` on a file or a folder, and say so.

    Raises:
        UserError: it fails, with what DVC says.
    """
    if _is_tracked(path):
        print(f"{path}.dvc: DVC tracks {path}")
        return
    command = ["dvc", "add", *options, str(path)]
    done = subprocess.run([sys.executable, "-m", *command], text=True, capture_output=True)
    if done.returncode:
        raise UserError(f"{' '.join(command)} failed: {' '.join(done.stderr.split())}")
    print(f"{path}.dvc: DVC tracks {path}")


def _is_tracked(path: Path) -> bool:
    """Tell whether DVC has tracked a folder as it is: as many files and bytes, and none changed since.

    DVC itself looks at every file's hash, which takes long for many. When a file was written is told by
    its change of status, which copying does not set back.
    """
    record = Path(f"{path}.dvc")
    if not record.exists() or not path.is_dir():
        return False
    (out,) = read_yaml(record)["outs"]
    tracked = record.stat().st_mtime_ns
    count = size = 0
    for place, _, names in os.walk(path, followlinks=True):
        for name in names:
            # cheaper than a Path for each
            status = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118
            if status.st_ctime_ns > tracked:
                return False
            count += 1
            size += status.st_size
    return (count, size) == (out.get("nfiles"), out.get("size"))
