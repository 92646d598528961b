"""The speed comparison: fair, and honest about what is missing."""

import json
import re
import subprocess
from typing import Any

import pytest

from benchmarks.limit import count_epoch
from benchmarks.results import tabulate_speed
from benchmarks.speed import CONTENDERS, SIZES, find_disagreements, make_rows
from projects import ROOT, Project


def report(seconds: float, validation: list[float]) -> dict[str, Any]:
    return {
        "load_seconds": 1.0,
        "first_epoch_seconds": 3 * seconds,
        "epoch_seconds": [seconds, 1.1 * seconds, 0.9 * seconds],
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
    assert table.loc[0, "jax"] == "-"


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


def test_the_pages_show_what_was_measured() -> None:
    rows = json.loads(committed("benchmarks/results/speed.json"))
    table = committed("benchmarks/results/speed.md")
    minutes = {
        name: divmod(round(sum(row["training_seconds"] for row in rows if row["contender"] == name)), 60)
        for name in ("ours", "keras")
    }

    for recipe in {row["recipe"] for row in rows}:
        ours, keras = (
            next(row for row in rows if (row["recipe"], row["contender"]) == (recipe, name))
            for name in ("ours", "keras")
        )
        line = next(line for line in table.splitlines() if line.startswith(f"| {recipe} "))
        assert f" {ours['seconds_per_epoch']['median']:.3g} | " in line
        assert f" {keras['ratio_to_ours']:.2f} (" in line
    for page in ["docs/speed.md", "docs/speed.ko.md"]:
        text = committed(page)
        assert table in text, page
        for whole, seconds in minutes.values():
            assert re.search(rf"{whole}( minutes|분)\s+{seconds}", text), page


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
