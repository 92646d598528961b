"""Ending with the process that started this one: a stage with DVC, a worker with the command it works for."""

import ctypes
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil

# by which DVC tells a process that it runs it as a stage
STAGE_VARIABLE = "DVC_STAGE"
# in a project of DVC's, and in the temporary one of an experiment: who writes what at present
USES = ".dvc/tmp/rwlock"
# DVC starts a stage by the user's shell, and not every shell gives its own process over
SHELLS = {"sh", "bash", "dash", "zsh", "fish", "ksh", "tcsh", "csh", "cmd", "powershell", "pwsh"}
SECONDS_BETWEEN_LOOKS = 0.5
# of Linux's <sys/prctl.h>
PR_SET_PDEATHSIG = 1


def end_stage_with_dvc() -> None:
    """End this process as soon as the DVC that runs it as a stage does; one that a user runs alone goes on."""
    if STAGE_VARIABLE in os.environ:
        end_with_parent()
        if _has_lost_dvc():
            print(f"{os.environ[STAGE_VARIABLE]}: ends, since the DVC that started it has ended", file=sys.stderr)
            _end()


def end_with_parent() -> None:
    """End this process as soon as the one that started it does, at once and whatever it is doing.

    Nothing that it has not finished can pass for whole: files are moved into place at their end. Linux ends
    it by a signal; elsewhere, and where a shell stands between, a thread looks twice a second.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if (started := multiprocessing.parent_process()) and not started.is_alive():
        _end()
    parents = [psutil.Process().parent()]
    while (last := parents[-1]) and _name_of(last) in SHELLS:
        parents.append(last.parent())
    threading.Thread(target=_watch, args=([parent for parent in parents if parent],), daemon=True).start()


def _has_lost_dvc() -> bool:
    """Tell whether DVC ended before this process could ask to be told: who writes is no parent, and is no more."""
    here = Path.cwd()
    try:
        project = next(folder for folder in (here, *here.parents) if (folder / ".dvc").is_dir())
        writers = {use["pid"] for use in json.loads((project / USES).read_text("utf-8"))["write"].values()}
    except (StopIteration, KeyError, TypeError, ValueError, OSError, AttributeError):
        # of another version, or in the middle of being written
        return False
    parents = {parent.pid for parent in psutil.Process().parents()}
    return not writers & parents and any(not psutil.pid_exists(writer) for writer in writers)


def _name_of(process: psutil.Process) -> str:
    try:
        return process.name().lower().removesuffix(".exe")
    except psutil.Error:
        return ""


def _watch(parents: list[psutil.Process]) -> None:
    while all(parent.is_running() and _status_of(parent) != psutil.STATUS_ZOMBIE for parent in parents):
        time.sleep(SECONDS_BETWEEN_LOOKS)
    _end()


def _status_of(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.Error:
        return psutil.STATUS_ZOMBIE


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
