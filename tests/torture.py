"""Kill the program 200 times at random moments, and see whether anything is lost, wrong or left (`make torture`).

A tiny project runs undisturbed first. Then each command is started, killed, started again, and killed again, several
times; at the end it runs once more, and every file has to have the bytes that it has without a kill.
"""

import argparse
import hashlib
import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import psutil
from PIL import Image
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from zc.lockfile import LockError, LockFile

from image_recipes.commands.repro import LOCK_FILE
from image_recipes.core.params import PARAMS_FILE
from projects import TINY_PARAMS, Project, make_project

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
KILLS_IN_A_ROW = 5
SECONDS_TO_END = 10
# what a run leaves that is not compared: histories of Git, DVC's own, and what others may look on at meanwhile
NOT_COMPARED = {
    ".git",
    ".dvc",
    "dvclive",
    "__pycache__",
    "data/unfinished",
    "data/locks",
    "data/features",
    "data/decoded",
    "data/searches",
}
# what tells how long something took
TIMED = Path("metrics/searches")


class Command(NamedTuple):
    """Something to kill: how it is started, and how what it has made is taken back."""

    name: str
    words: tuple[str, ...]
    undo: tuple[str, ...] = ()


SEARCH = """\
searches:
  tune:
    recipe: tiny_class
    metric: val_loss
    sampler: tpe
    pruner: none
    trials: 5
    seeds: 2
    space:
      recipes.tiny_class.epochs: {low: 1, high: 5}
      architectures.small[0].Conv2D.filters: {low: 2, high: 8}
"""
STAGES = (
    "prepare@mnist",
    "split@dots",
    "baseline@mnist",
    "train@tiny_class",
    "train@tiny_number",
    "evaluate@tiny_number",
    "plot@tiny_class",
    "compare@mnist",
    "suspects@dots",
    "heatmaps@tiny_class",
    "report",
)
EXPERIMENT = ("dvc", "exp", "run", "--temp", "--set-param", "recipes.tiny_class.epochs=3", "train@tiny_class")
COMMANDS = (
    *(Command(f"repro {stage}", ("dvc", "repro", "--force", "--single-item", stage)) for stage in STAGES),
    Command(
        "add", ("image-recipes", "add", "leaves", "--name", "leaves"), ("image-recipes", "remove", "leaves", "--raw")
    ),
    Command(
        "search",
        ("image-recipes", "search", "tune"),
        ("rm", "-r", "data/searches", "metrics/searches", "plots/searches"),
    ),
    Command("experiment", EXPERIMENT, ("dvc", "exp", "remove", "--all-commits")),
    Command(
        "predict", ("image-recipes", "predict", "tiny_class", "leaves", "--output", "leaves.csv"), ("rm", "leaves.csv")
    ),
    # TensorFlow writes no SavedModel in the same bytes twice
    Command("export", ("image-recipes", "export", "tiny_class", "--to", "litert"), ("rm", "-r", "exports")),
)


@dataclass
class Count:
    """What came of the kills of one command."""

    kills: int = 0
    met: int = 0
    faults: int = 0
    mended: int = 0
    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def start(project: Project, words: tuple[str, ...], **options: object) -> "subprocess.Popen[bytes]":
    """Start a command in a process group of its own."""
    environment = {**os.environ, "IMAGE_RECIPES_STATE_SECONDS": "0.001", "PYTHONPATH": str(project.root)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        words,
        cwd=project.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **options,  # type: ignore[call-overload]
    )


def run(project: Project, words: tuple[str, ...]) -> float:
    """Run a command to its end, which must be a good one, and return how long it took."""
    started = time.monotonic()
    done = project.run(*words, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} exited with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - started


def snapshot(project: Project) -> dict[str, str]:
    """Return a digest of each file that the project's commands make."""
    digests = {}
    for place, folders, names in os.walk(project.root):
        here = Path(place).relative_to(project.root)
        folders[:] = [name for name in folders if name not in NOT_COMPARED and str(here / name) not in NOT_COMPARED]
        for name in names:
            content = Path(place, name).read_bytes()
            if here == TIMED:
                content = without_seconds(name, content)
            digests[str(here / name)] = hashlib.sha256(content).hexdigest()
    return digests


def without_seconds(name: str, content: bytes) -> bytes:
    """Return a file of a search without its times."""
    if name.endswith(".csv"):
        return pd.read_csv(io.BytesIO(content)).drop(columns="seconds").to_csv().encode()
    return re.sub(rb'"seconds": [0-9.]+', b"", content)


def processes_of(project: Project) -> list[psutil.Process]:
    """Return the processes that run in a project, but DVC's daemons, which send nothing and end on their own."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        inside = str(process.info["cwd"] or "").startswith(str(project.root))
        if (
            inside
            and process.info["status"] != psutil.STATUS_ZOMBIE
            and "daemon" not in (process.info["cmdline"] or [])
        ):
            found.append(process)
    return found


def find_left(project: Project) -> list[str]:
    """Return what should not be there when nothing runs: processes and locks that are held."""
    end = time.monotonic() + SECONDS_TO_END
    while (left := [*map(describe, processes_of(project)), *held_locks(project)]) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def describe(process: psutil.Process) -> str:
    """Return a process's command."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return "a process that is ending"


def held_locks(project: Project) -> list[str]:
    """Return the locks of a project that a process holds."""
    held = []
    for file in (project.root / "data/locks").rglob("*.lock"):
        try:
            LockFile(str(file)).close()
        except LockError:
            held.append(f"lock {file.name}")
    return held


@contextmanager
def small_files() -> Iterator[dict[str, Callable[[], None]]]:
    """A full disk, as far as a process without rights can have one: no file may grow beyond 4 KiB."""
    import resource

    yield {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))}


def disturb(project: Project, command: Command, dice: random.Random) -> None:
    """Run a command once under a fault of its surroundings, which it may survive or not."""
    fault = dice.choice(["disk", "clock", "permission"])
    if fault == "disk":
        with small_files() as options:
            start(project, command.words, **options).wait()
        return
    made = [
        project.root / name
        for name in ("models", "plots", "metrics", "data/predictions")
        if (project.root / name).exists()
    ]
    if fault == "clock":
        for folder in made:
            for file in folder.rglob("*"):
                # of a clock that was set back since
                os.utime(file, (time.time() + 86_400,) * 2, follow_symlinks=False)
        start(project, command.words).wait()
        return
    for folder in made:
        folder.chmod(0o555)
    try:
        start(project, command.words).wait()
    finally:
        for folder in made:
            folder.chmod(0o755)


def kill(project: Project, command: Command, seconds: float, dice: random.Random, count: Count) -> None:
    """Start a command and kill it at a random moment: its first process alone, or all of them."""
    process = start(project, command.words)
    time.sleep(dice.uniform(0, seconds))
    running = process.poll() is None
    number = dice.choice(SIGNALS)
    if running:
        (os.kill if dice.random() < 0.5 else os.killpg)(process.pid, number)
    count.kills += 1
    count.met += running
    # DVC takes no SIGINT that its stage does not get too, and ends as ever
    process.wait()
    count.left += [f"{signal.Signals(number).name}: {name}" for name in find_left(project)]


def mend(project: Project, command: Command) -> int:
    """Mend what DVC leaves half-written or changed, as the program and docs/pipeline.md say, and count the files."""
    words = ("python", "-c", "from image_recipes.commands.mending import mend_uses; mend_uses()")
    mended = "removed" in project.run(*words).stderr
    try:
        whole = load_stages(project.run("git", "show", f"HEAD:{LOCK_FILE}").stdout) <= load_stages(
            (project.root / LOCK_FILE).read_text()
        )
    except (ValueError, TypeError, KeyError, YAMLError):
        whole = False
    if not whole:
        project.run("git", "checkout", LOCK_FILE)
    # DVC puts an experiment's params there for a moment, and takes them away again
    changed = command.words[0] == "dvc" and bool(project.run("git", "status", "--short", str(PARAMS_FILE)).stdout)
    if changed:
        project.run("git", "checkout", "HEAD", str(PARAMS_FILE))
    return mended + (not whole) + changed


def load_stages(text: str) -> set[str]:
    """Return the stages of the text of a dvc.lock."""
    return set(YAML(typ="safe").load(text)["stages"])


def torture(project: Project, commands: Sequence[Command], kills: int, seed: int) -> dict[str, Count]:
    """Kill commands, and count what is wrong and what is left."""
    dice, counts = random.Random(seed), {command.name: Count() for command in commands}
    expected, seconds = {}, {}
    for command in commands:
        seconds[command.name] = run(project, command.words)
        expected[command.name] = snapshot(project)
        if command.undo:
            run(project, command.undo)
    done, turn = 0, 0
    while done < kills:
        command = commands[turn % len(commands)]
        turn, count = turn + 1, counts[command.name]
        for _ in range(min(KILLS_IN_A_ROW, kills - done)):
            kill(project, command, seconds[command.name], dice, count)
            done += 1
        disturb(project, command, dice)
        count.faults += 1
        count.mended += mend(project, command)
        run(project, command.words)
        found = snapshot(project)
        wanted = expected[command.name]
        count.wrong += sorted(name for name in found.keys() | wanted if found.get(name) != wanted.get(name))
        if command.undo:
            run(project, command.undo)
        print(f"{done:4} kills, {command.name}: {len(count.wrong)} wrong, {len(count.left)} left", flush=True)
        for line in (*count.wrong, *count.left):
            print(f"     {line}", flush=True)
    return counts


def tabulate(counts: dict[str, Count]) -> str:
    """Return the table that stands in docs/."""
    lines = [
        "| command | kills | while it ran | faults | DVC's files mended | files wrong | left running or locked |",
        "|:--|--:|--:|--:|--:|--:|--:|",
    ]
    for name, count in counts.items():
        lines.append(
            f"| {name} | {count.kills} | {count.met} | {count.faults} | {count.mended} "
            f"| {len(count.wrong)} | {len(count.left)} |"
        )
    totals = [
        sum(values)
        for values in zip(
            *((c.kills, c.met, c.faults, c.mended, len(c.wrong), len(c.left)) for c in counts.values()), strict=True
        )
    ]
    return "\n".join([*lines, "| **all** | " + " | ".join(map(str, totals)) + " |"])


def main() -> None:
    """Make the project, torture it, and print the table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[command.name for command in COMMANDS], help="one command")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    project = make_project(folder, TINY_PARAMS.replace("epochs: 3", "epochs: 300") + SEARCH)
    dots = np.random.default_rng(0).integers(0, 256, (24, 32, 32), dtype=np.uint8)
    for number, picture in enumerate(dots):
        file = folder / "leaves" / ("oak" if number % 2 else "birch") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(file)
    run(project, ("dvc", "repro"))
    project.commit("Results")
    commands = [command for command in COMMANDS if given.only in (None, command.name)]
    counts = torture(project, commands, given.kills, given.seed)
    print(tabulate(counts))
    if any(count.wrong or count.left for count in counts.values()):
        raise SystemExit(f"look into {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
