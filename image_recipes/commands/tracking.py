"""Having DVC track files."""

import subprocess
import sys
from pathlib import Path

from image_recipes.core.errors import UserError


def track(path: Path, *options: str) -> None:
    """Run `dvc add` on a file or a folder, and say so.

    Raises:
        UserError: it fails, with what DVC says.
    """
    command = ["dvc", "add", *options, str(path)]
    done = subprocess.run([sys.executable, "-m", *command], text=True, capture_output=True)
    if done.returncode:
        raise UserError(f"{' '.join(command)} failed: {' '.join(done.stderr.split())}")
    print(f"{path}.dvc: DVC tracks {path}")
