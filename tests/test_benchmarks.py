"""The comparisons, of speed and of what `add` writes: fair, and honest about what is missing."""

import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks import small_tasks
from benchmarks.added import project_with
from benchmarks.defaults import find_short, judge, score_linear, tabulate
from benchmarks.limit import count_epoch
from benchmarks.pictures import prepare_for_benchmark
from benchmarks.results import tabulate_speed
from benchmarks.small_tasks import SMALL_TASKS, SmallTask, write_task
from benchmarks.speed import CONTENDERS, GROUPS, SIZES, find_disagreements, make_rows
from image_recipes.checks import check_params
from projects import ROOT, Project


def report(seconds: float, validation: list[float]) -> dict[str, Any]:
    return {
        "load_seconds": 1.0,
        "first_epoch_seconds": 3 * seconds,
        "epoch_seconds": [seconds, 1.1 * seconds, 0.9 * seconds],
        "fine_tuning_seconds": 0.0,
        "validation": validation,
        "peak_memory_mb": 500.0,
        "parameters": 1000,
        "device": "cpu",
        "versions": {"keras": "3"},
    }


def test_ratios_are_of_medians() -> None:
    reports = {"ours": [report(1, [0.9]), report(2, [0.9])], "keras": [report(3, [0.9]), report(4, [0.9])]}

    ours, keras = (row for row in make_rows("mnist_mlp", reports, reasons={}) if row["contender"] in reports)

    assert ours["ratio_to_ours"] == 1
    assert keras["seconds_per_epoch"] == pytest.approx({"median": 3.45, "min": 2.7, "max": 4.4})
    assert keras["ratio_to_ours"] == pytest.approx(3.45 / 1.45)
    # round by round
    assert keras["ratio_spread"] == pytest.approx({"min": 2, "max": 3})
    assert keras["compile_seconds"] == pytest.approx(10.5 - 3.45)
    # of 30 epochs
    assert keras["training_seconds"] == pytest.approx(1 + 10.5 + 29 * 3.45)


def test_of_a_recipe_that_computes_ahead_the_whole_training_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIZES, "mnist_mlp", SIZES["mnist_mlp"]._replace(ratio="training"))
    reports = {"ours": [report(0.1, [0.9])], "keras": [report(2, [0.9])]}
    reports["ours"][0] |= {"load_seconds": 10.0, "fine_tuning_seconds": 7.0}
    reports["keras"][0] |= {"fine_tuning_seconds": 8.0}

    rows = [row for row in make_rows("mnist_mlp", reports, reasons={}) if row["contender"] in reports]
    table = tabulate_speed(rows, ["ours", "keras"])

    # of 30 epochs
    ours, keras = 10 + 0.3 + 29 * 0.1 + 7, 1 + 6 + 29 * 2 + 8
    assert [row["training_seconds"] for row in rows] == pytest.approx([ours, keras])
    assert rows[1]["ratio_to_ours"] == pytest.approx(keras / ours)
    assert rows[1]["ratio_spread"]["max"] == pytest.approx(keras / ours)
    assert table.loc[0, "ours, s"] == "20.2 (all epochs)"
    # no share is counted of a network that `add` wrote
    assert "of the peak" not in table


def test_who_has_not_learned_the_same_is_named() -> None:
    reports = {
        "ours": [report(1, [0.90, 0.95])],
        "keras": [report(1, [0.90, 0.945])],
        "jax": [report(1, [0.90, 0.93])],
        "pytorch": [report(1, [float("nan"), float("nan")])],
    }

    findings = list(find_disagreements("mnist_mlp", SIZES["mnist_mlp"], reports))

    assert [finding.split()[1] for finding in findings] == ["jax", "pytorch"]
    assert "has not learned the same: validation 0.93, where 0.94 is the limit" in findings[0]

    reports = {"ours": [report(1, [400.0, 130.0])], "keras": [report(1, [90.0, 300.0])]}
    reports["keras"][0]["parameters"] = 999
    assert "dots_mlp: keras has other parameters: 999, not 1000" in find_disagreements(
        "dots_mlp", SIZES["dots_mlp"], reports
    )
    reports["keras"][0]["parameters"] = 1000
    assert [line.split()[1] for line in find_disagreements("dots_mlp", SIZES["dots_mlp"], reports)] == ["ours"]


def test_a_peer_that_is_not_installed_is_in_the_table() -> None:
    rows = list(
        make_rows(
            "dots_mlp", {"ours": [report(1, [90.0])]}, reasons={"pytorch": "torch is not installed: make bench-peers"}
        )
    )
    rows[0]["share_of_peak"] = 0.5

    table = tabulate_speed(rows, list(CONTENDERS))

    assert rows[1]["skipped"] == "torch is not installed: make bench-peers"
    assert table.loc[0, "pytorch"] == "not installed"
    # nobody was asked for
    assert "jax" not in table


def test_operations_are_counted_from_the_model() -> None:
    forward = 2 * (784 * 256 + 256 * 256 + 256 * 256 + 256 * 10)
    first = 2 * 784 * 256
    expected = 50_000 * (3 * forward - first) + 10_000 * forward

    assert count_epoch("mnist_mlp") == {"gflop_per_epoch": pytest.approx(expected / 1e9), "kind": "matmul"}
    # two for each weight of a kernel, at each of 26 x 26 and 11 x 11 places
    forward = 2 * (9 * 32 * 26**2 + 9 * 32 * 32 * 11**2 + 800 * 256 + 256 * 10)
    expected = 100 * (3 * forward - 2 * 9 * 32 * 26**2) + 10_000 * forward
    assert count_epoch("dots_mlp", 10_000) == count_epoch("dots_mlp")
    assert count_epoch("mnist_cnn", 100) == {"gflop_per_epoch": pytest.approx(expected / 1e9), "kind": "convolution"}


def committed(file: str) -> str:
    """Return a file as committed: `make bench` may have written another since."""
    return subprocess.run(["git", "show", f"HEAD:{file}"], cwd=ROOT, check=True, capture_output=True).stdout.decode()


PAGES = ["docs/speed.md", "docs/speed.ko.md"]


@pytest.mark.parametrize("name", GROUPS)
def test_the_pages_show_what_was_measured(name: str) -> None:
    rows = json.loads(committed(f"benchmarks/results/{name}.json"))
    table = committed(f"benchmarks/results/{name}.md")

    assert {row["recipe"] for row in rows} == set(GROUPS[name])
    for recipe in GROUPS[name]:
        ours, keras = (
            next(row for row in rows if (row["recipe"], row["contender"]) == (recipe, contender))
            for contender in ("ours", "keras")
        )
        line = next(line for line in table.splitlines() if line.startswith(f"| {recipe} "))
        whole = SIZES[recipe].ratio == "training"
        seconds = f"{ours['training_seconds']:.3g} (" if whole else f"{ours['seconds_per_epoch']['median']:.3g} | "
        assert f" {seconds}" in line
        assert f" {keras['ratio_to_ours']:.2f} (" in line
    for page in PAGES:
        assert table in committed(page), page


def test_the_pages_add_up_the_lectures() -> None:
    rows = json.loads(committed("benchmarks/results/speed.json"))
    for contender in ("ours", "keras"):
        seconds = sum(row["training_seconds"] for row in rows if row["contender"] == contender)
        whole, rest = divmod(round(seconds), 60)
        for page in PAGES:
            assert re.search(rf"{whole}( minutes|분)\s+{rest}", committed(page)), page


@pytest.mark.long
@pytest.mark.slow
def test_the_comparison_runs(project: Project) -> None:
    (project.root / "params.yaml").write_text((ROOT / "params.yaml").read_text("utf-8"), "utf-8")

    done = project.run("python", "-m", "benchmarks.speed", "--quick", "dots_mlp")

    rows = json.loads((project.root / "benchmarks/results/speed-quick-part.json").read_text("utf-8"))
    assert [row["contender"] for row in rows] == list(CONTENDERS)
    assert {row["contender"] for row in rows if "skipped" not in row} >= {"ours", "keras"}
    for row in rows:
        if "skipped" in row:
            assert f"{row['contender']}: left out: {row['skipped']}" in done.stdout
            assert "make bench-peers" in row["skipped"]
    assert (project.root / "benchmarks/results/speed-quick-part.png").stat().st_size > 10_000


def test_an_unknown_recipe_is_named(project: Project) -> None:
    output = project.fails("python", "-m", "benchmarks.speed", "mnist_rnn")

    assert "error: mnist_rnn: not in the comparison: choose from mnist_mlp, mnist_cnn" in output


AVAILABLE = [name for name, task in SMALL_TASKS.items() if not task.needs or (ROOT / task.needs).exists()]


@pytest.mark.parametrize("name", AVAILABLE)
def test_a_small_task_is_the_same_again_by_its_seed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    task = SMALL_TASKS[name]

    def draw(seed: int) -> list[tuple[Image.Image, object]]:
        return list(itertools.islice(task.draw(np.random.default_rng(seed)), 12))

    one, again, other = draw(0), draw(0), draw(1)

    assert [(picture.tobytes(), label) for picture, label in one] == [
        (picture.tobytes(), label) for picture, label in again
    ]
    assert [picture.tobytes() for picture, _ in one] != [picture.tobytes() for picture, _ in other]
    assert {picture.mode for picture, _ in one} <= {"L", "RGB"}
    assert len({label for _, label in one}) > 1
    kind = str if task.task == "classification" else (int, float)
    assert all(isinstance(label, kind) for _, label in one)


def test_a_task_with_few_pictures_has_its_share_of_each_split(tmp_path: Path) -> None:
    task = SmallTask("regression", lambda rng: itertools.islice(SMALL_TASKS["dots"].draw(rng), 455), flips=True)

    rows = pd.read_csv(write_task(task, tmp_path / "half", seed=0))

    assert {split: len(part) for split, part in rows.groupby("split")} == {
        split: pytest.approx(count / 2, rel=0.15) for split, count in small_tasks.SPLITS.items()
    }
    assert all((tmp_path / "half" / file).exists() for file in rows["file"])


def test_a_small_task_is_added_to_a_project_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(small_tasks, "SPLITS", {"train": 60, "validation": 20, "test": 30})

    with project_with("dots"):
        assert Path.cwd() != ROOT
        assert "dots_cnn" in check_params()["dots"]
        prepare_for_benchmark("dots", Path("data/prepared/dots"))
        linear = score_linear(Path("data/prepared/dots"))
    assert Path.cwd() == ROOT
    assert None not in linear.values()
    assert linear["low"] <= linear["test"] <= linear["high"]  # type: ignore[operator]


def tried(task: str, *, plain: float, cnn: tuple[float, float], transfer: tuple[float, float]) -> dict[str, Any]:
    """Make a row of a task whose recipes have these figures on the validation and the test pictures."""

    def runs(validation: float, test: float) -> list[dict[str, float]]:
        return [{"seconds": 20.0, "validation": validation, "test": test + luck} for luck in (-0.01, 0.01)]

    row = {
        "task": task,
        "kind": "classification",
        "pictures": {"train": 420, "validation": 90, "test": 400},
        "linear": {"test": 0.7, "low": 0.65, "high": 0.75},
        "plain": runs(0.9, plain),
        "cnn": runs(*cnn),
        "transfer": runs(*transfer),
    }
    return row | judge(row)


def test_the_recipe_that_validation_chooses_is_judged() -> None:
    rows = [
        tried("good", plain=0.9, cnn=(0.8, 0.95), transfer=(0.9, 0.885)),
        tried("worse", plain=0.9, cnn=(0.9, 0.87), transfer=(0.8, 0.95)),
        tried("bad", plain=0.9, cnn=(0.8, 0.6), transfer=(0.7, 0.6)),
        {"task": "icons", "skipped": "/usr/share/icons is not there"},
    ]

    short = list(find_short(rows))
    table = tabulate(rows).set_index("task")

    assert [row["chosen"] for row in rows[:3]] == ["transfer", "cnn", "cnn"]
    assert list(table["verdict"]) == ["good", "below plain", "below linear and plain", "-"]
    assert short == [
        "worse: cnn reaches 0.870 on the test pictures, more than 0.02 below plain Keras's 0.900",
        "bad: cnn reaches 0.600 on the test pictures, less than the linear model's 0.650 to 0.750",
        "bad: cnn reaches 0.600 on the test pictures, more than 0.02 below plain Keras's 0.900",
    ]
    assert table.loc["good", "linear"] == "0.700 (0.650 to 0.750)"
    assert table.loc["good", "transfer"] == "0.885 (0.875-0.895), 20 s"
    assert table.loc["icons", "pictures"] == "left out: /usr/share/icons is not there"


def test_without_weights_there_is_one_recipe_to_choose() -> None:
    row = tried("good", plain=0.9, cnn=(0.8, 0.95), transfer=(0.9, 0.5))
    del row["transfer"]

    assert judge(row)["chosen"] == "cnn"
    assert "transfer" not in tabulate([row | judge(row)])


def test_an_unknown_task_is_named(project: Project) -> None:
    output = project.fails("python", "-m", "benchmarks.defaults", "leaf_kind")

    assert "error: leaf_kind: no such task: did you mean 'leaf_kinds'?" in output
