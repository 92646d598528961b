"""What machine this is."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import psutil


def describe_machine() -> str:
    """Name the processor, its cores, the memory and a GPU, if there is one."""
    parts = [f"{_processor()}, {os.cpu_count()} cores", f"{psutil.virtual_memory().total / 2**30:.0f} GiB"]
    if gpu := find_gpu():
        parts.append(gpu)
    return ", ".join(parts)


def find_gpu() -> str | None:
    """Name the first NVIDIA GPU, by its driver's own tool."""
    if not shutil.which("nvidia-smi"):
        return None
    done = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True)
    return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else None


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", file.read_text(), re.MULTILINE) if file.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()
