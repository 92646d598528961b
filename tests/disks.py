"""Disks that are full, without root: a small one in memory over a folder, seen by one command and its children."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from projects import OUR_OWN, Project

ALONE = ["unshare", "--user", "--map-root-user", "--mount"]
# lays the disk over the folder with what is in it, runs the command, and tells what is there then
SCRIPT = """
import hashlib, json, os, shutil, subprocess, sys
from pathlib import Path
folder, left, command = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
kept = Path(sys.argv[1] + ".kept")
shutil.copytree(folder, kept, symlinks=True)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "none", str(folder)], check=True)
shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)
shutil.rmtree(kept)
used = os.statvfs(folder)
used = (used.f_blocks - used.f_bfree) * used.f_frsize
subprocess.run(["mount", "-o", f"remount,size={used + left}", str(folder)], check=True)
done = subprocess.run(command, text=True, capture_output=True)
files = {
    str(file.relative_to(folder)): hashlib.md5(file.read_bytes()).hexdigest()
    for file in folder.rglob("*") if file.is_file()
}
print(json.dumps([done.returncode, done.stdout + done.stderr, files]))
"""


class OnFullDisk(NamedTuple):
    """What a command has done.

    Attributes:
        code: it has ended with.
        output: all that it has printed.
        files: what is on the disk at its end, the MD5 of each by its path.
    """

    code: int
    output: str
    files: dict[str, str]


def skip_without_namespaces() -> None:
    """Skip a test where a process may not have mounts of its own."""
    if not shutil.which("unshare") or subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system allows no user namespaces")


def run_on_full_disk(project: Project, folder: str, left: int, *command: str) -> OnFullDisk:
    """Run a command where a folder is on a disk with so many bytes left, or skip the test where that cannot be."""
    skip_without_namespaces()
    (project.root / folder).mkdir(parents=True, exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**{name: value for name, value in os.environ.items() if name not in OUR_OWN}, "PATH": path}
    done = subprocess.run(
        [*ALONE, sys.executable, "-c", SCRIPT, str(project.root / folder), str(left), *command],
        cwd=project.root,
        env={**environment, "COLUMNS": "200"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return OnFullDisk(*json.loads(done.stdout.splitlines()[-1]))
