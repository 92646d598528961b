"""What DVC leaves damaged where it is killed, and cannot read itself again."""

import json
import sys
from pathlib import Path

# who reads and writes what, and the lock under which DVC changes it
USES, USES_LOCK = Path(".dvc/tmp/rwlock"), ".dvc/tmp/rwlock.lock"


def mend_uses() -> None:
    """Remove DVC's list of who reads and writes what if it is damaged: every DVC command fails on it.

    DVC writes it in place, so that a kill at that moment leaves half of it.
    """
    if not _is_damaged():
        return
    # here, since DVC takes a second to import
    from dvc.lock import make_lock

    # a DVC that runs may be writing it
    with make_lock(USES_LOCK, tmp_dir=str(USES.parent), wait=True):
        if _is_damaged():
            USES.unlink()
            print(f"{USES}: removed, since a DVC that was killed has left half of it", file=sys.stderr)


def _is_damaged() -> bool:
    try:
        json.loads(USES.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False
