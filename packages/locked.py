"""The packages that the lock files pin."""

import re
from pathlib import Path

LOCKS = (Path("requirements.lock"), Path("requirements-extras.lock"))
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==", re.MULTILINE)


def list_locked() -> list[str]:
    """List the names of all packages in the lock files of this folder, sorted."""
    return sorted({name for lock in LOCKS for name in PINNED.findall(lock.read_text("utf-8"))})
