"""`image-recipes repro`: a line for each stage, and what was learned, with real DVC."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dvc.lock import Lock
from PIL import Image

from pictures import make_folder
from projects import Project

LINE = re.compile(r"(\S+|\d+ stages) +[\d,]+\.\d s(  run|  cached|)")


def read_lines(output: str) -> dict[str, str]:
    """Read the lines of the stages: how each was done, by its name."""
    found = [LINE.fullmatch(line) for line in output.splitlines()]
    return {match[1]: match[2].strip() for match in found if match}


def test_what_is_unchanged_is_one_line(playground: Project) -> None:
    done = playground.run("image-recipes", "repro")

    stages, total, *learned = done.stdout.splitlines()
    assert read_lines(f"{stages}\n{total}") == {"20 stages": "cached", "total": ""}
    told = [line.partition(":")[0] for line in learned]
    assert [name for name in told if name not in {"mnist", "dots"}] == [
        "tiny_class",
        "tiny_number",
        "what to look at next",
        "report",
    ]
    assert learned[-1] == "report: plots/report.html"
    suspects = len(pd.read_csv(playground.root / "metrics/suspects/mnist.csv"))
    assert suspects > 0
    (suspicious,) = [line for line in learned if line.startswith("mnist: ")]
    assert suspicious.startswith(f"mnist: suspicious labels: {suspects} of 320, first that of #")
    assert suspicious.endswith("; metrics/suspects/mnist.csv lists them")
    assert re.fullmatch(
        r"tiny_class: right for [\d.]+ % of 60 test pictures \(95 % interval: .* %\), .*than .*", learned[0]
    )
    assert done.stderr == ""
    assert playground.run("git", "status", "--porcelain").stdout == ""


def test_a_stage_that_ran_is_a_line_and_what_it_prints_shows(playground: Project) -> None:
    playground.edit("stages/compare.py", "import os\n", 'import os\n\nprint("from within")\n')

    output = playground.run("image-recipes", "repro", "mnist").stdout

    assert read_lines(output) == {
        "7 stages": "cached",
        "compare@mnist": "run",
        "suspects@mnist": "cached",
        "heatmaps@tiny_class": "cached",
        "total": "",
    }
    assert "\nfrom within\n" in output
    # what DVC says, and what the stage would say by itself, is left out
    assert [word for word in ["Running", "dvc", "git add", "\r", "\n\n"] if word in output] == []
    assert output.count("tiny_class: right for") == 1
    assert "tiny_number" not in output
    # DVC alone shows it by the stage
    by_dvc = playground.run("dvc", "repro", "--force", "--single-item", "compare@mnist").stdout
    assert [line for line in by_dvc.splitlines() if line.startswith("tiny_class: ")] == [
        line for line in output.splitlines() if line.startswith("tiny_class: ")
    ]


def test_what_the_run_cache_holds_is_not_run(playground: Project) -> None:
    playground.edit("stages/baseline.py", '"""Stage', '"""The stage')
    assert read_lines(playground.run("image-recipes", "repro", "tiny_number").stdout)["baseline@dots"] == "run"
    playground.run("git", "checkout", "--quiet", ".")

    again = playground.run("image-recipes", "repro", "tiny_number").stdout

    assert read_lines(again) == {"7 stages": "cached", "total": ""}
    # by its own predictions and those of the baselines: nothing is compared
    assert "\ntiny_number: off by " in again


def test_verbose_shows_what_dvc_says(playground: Project) -> None:
    output = playground.run("image-recipes", "repro", "tiny_number", "--verbose").stdout

    assert "Stage 'plot@tiny_number' didn't change, skipping\n" in output
    assert read_lines(output) == {}
    assert "\ntiny_number: off by " in output


def test_a_stage_that_fails_is_named_after_its_own_error(playground: Project) -> None:
    (playground.root / "published.yaml").write_text("mnist_mlp: 1\n", "utf-8")

    done = playground.run("image-recipes", "repro", check=False)

    assert done.returncode == 1
    own, ours = done.stderr.splitlines()
    assert own.startswith("error: published.yaml: mnist_mlp: give a mapping")
    assert re.fullmatch(r"error: compare@(mnist|dots) failed: the stages after it did not run", ours)
    assert set(read_lines(done.stdout).values()) == {"cached"}
    assert "tiny_class:" not in done.stdout


def test_what_dvc_cannot_do_is_one_line(playground: Project) -> None:
    # a stage's output is missing once it ran
    playground.edit("stages/check.py", '        (folder / "ok")', '    return\n    if True:\n        (folder / "ok")')
    playground.edit("stages/check.py", "    with written_whole", "    return\n    with written_whole")

    (line,) = playground.fails("image-recipes", "repro", "tiny_class").splitlines()

    assert line.startswith("error: check: ")
    assert "data/checked" in line
    assert line.endswith(": the stages after it did not run")


def test_a_locked_project_is_named_in_one_line(playground: Project) -> None:
    with Lock(str(playground.root / ".dvc/tmp/lock")):
        (line,) = playground.fails("image-recipes", "repro", "tiny_class").splitlines()

    assert line.startswith("error: Unable to acquire lock. Most likely another DVC process is running")


def test_outside_of_dvc_its_reason_is_one_line(project: Project) -> None:
    project.run("rm", "-r", ".dvc")

    (line,) = project.fails("image-recipes", "repro", "tiny_number").splitlines()

    assert line.startswith("error: you are not inside of a DVC repository")


@pytest.mark.parametrize("place", ["imports", "main"])
def test_the_keyboard_stops_it_in_one_line(playground: Project, place: str) -> None:
    text = "import time\n\nprint('started', flush=True)\ntime.sleep(60)\n"
    if place == "imports":
        playground.edit("stages/compare.py", "import os\n", f"import os\n{text}")
    else:
        playground.edit(
            "stages/compare.py", "    seed, info", f"    {text.replace(chr(10), chr(10) + '    ')}seed, info"
        )
    program = Path(sys.executable).parent / "image-recipes"
    # as on a terminal, the stage gets the signal too
    running = subprocess.Popen(
        [program, "repro", "mnist"],
        cwd=playground.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout
    printed = ""
    while "started" not in printed:
        printed = running.stdout.readline()
        assert printed, running.communicate()
    time.sleep(0.5)
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=60)

    assert (running.returncode, errors) == (130, "error: stopped by the keyboard\n")


def test_a_terminal_shows_which_stage_runs(playground: Project) -> None:
    playground.edit("published.yaml", "mnist_mlp:", "# a remark\nmnist_mlp:")
    ours, theirs = os.openpty()
    program = Path(sys.executable).parent / "image-recipes"
    running = subprocess.Popen([program, "repro", "mnist"], cwd=playground.root, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while running.poll() is None or select.select([ours], [], [], 0)[0]:
        try:
            shown += os.read(ours, 10_000)
        except OSError:
            break
    os.close(ours)

    assert running.wait() == 0
    assert b"compare@mnist ...\r" in shown
    assert re.search(rb"\rcompare@mnist +[\d.]+ s  run\r\n", shown[shown.index(b"compare@mnist ...") :])


@pytest.mark.slow
def test_what_cannot_be_learned_is_told_apart_from_what_can(project: Project, tmp_path: Path) -> None:
    # patterns of chance, of one kind: as if labels were shuffled
    make_folder(tmp_path / "chance", {"birch": 40, "oak": 40}, size=(16, 16))
    rng = np.random.default_rng(0)
    for name, brightness in [("dark", 60), ("bright", 190)]:
        (tmp_path / "light" / name).mkdir(parents=True)
        for number in range(60):
            pixels = rng.integers(brightness - 50, brightness + 50, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "light" / name / f"{number}.png")
    for name in ["chance", "light"]:
        project.run("image-recipes", "add", str(tmp_path / name), "--name", name)

    output = project.run("image-recipes", "repro", "chance_cnn", "light").stdout

    (chance,) = [line for line in output.splitlines() if line.startswith("chance_cnn: ")]
    (light,) = [line for line in output.splitlines() if line.startswith("light_cnn: ")]
    assert "no better than always answering" in chance
    assert chance.endswith("nothing was learned that the test can show")
    assert "right for 100.0 % of" in light
    assert light.endswith("(100.0 %) as far as the test can show: a simpler model does as well")
    assert {"baseline@chance", "compare@light"} <= read_lines(output).keys()
    assert "compare@chance" not in output
    assert not (project.root / "data/prepared/mnist").exists()


@pytest.mark.parametrize("content", [b"", b"stages:\n  check:\n    cmd: ["])
def test_a_damaged_lock_file_is_a_line_with_the_remedy(content: bytes, project: Project) -> None:
    (project.root / "dvc.lock").write_bytes(content)

    output = project.fails("image-recipes", "repro", "dots")

    [line] = [line for line in output.splitlines() if line.startswith("error:")]
    assert line.endswith(": get it back by `git checkout dvc.lock`")
