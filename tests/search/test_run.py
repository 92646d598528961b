"""Searches by real trainings of a tiny recipe, in processes of their own."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from disks import run_on_full_disk
from image_recipes.commands.search_apply import write_values
from projects import Project, load_yaml

RATE = "recipes.tiny_number.optimizer.learning_rate"
FILTERS = "architectures.pool[0].Conv2D.filters"
KERNEL = "architectures.pool[0].Conv2D.kernel_size"
SPACE: dict[str, Any] = {"recipes.tiny_number.epochs": [4, 5], FILTERS: {"low": 2, "high": 5}}
SETTINGS: dict[str, Any] = {
    "recipe": "tiny_number",
    "metric": "val_loss",
    "sampler": "random",
    "pruner": "none",
    "trials": 4,
    "seeds": 1,
    "space": SPACE,
}
TABLE = "metrics/searches/tune.csv"


@pytest.fixture
def copy(finished: Project, tmp_path: Path) -> Project:
    """A project that has run, with a recipe of a plain learning rate."""
    return finished.copy(tmp_path / "copy")


def ask_for(project: Project, **changes: Any) -> None:
    """Write a search into params.yaml, in place of the one that is there."""
    file, yaml = project.root / "params.yaml", YAML()
    params = yaml.load(file.read_text("utf-8"))
    params["searches"] = {"tune": {**SETTINGS, **changes}}
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(params, stream)


def search(project: Project, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the search."""
    return project.run("image-recipes", "search", "tune", *options)


def read_table(project: Project) -> pd.DataFrame:
    return pd.read_csv(project.root / TABLE)


def find_experiment(project: Project, number: int) -> str:
    """Return the commit of a trial's experiment."""
    [line] = project.run("git", "for-each-ref", f"refs/exps/**/tune-{number}").stdout.splitlines()
    return line.split()[0]


def find_metric(shown: Mapping[Any, str], file: str, metric: str) -> str:
    """Return a metric of a row of `dvc exp show`, which names the file only where another has such a metric."""
    [name] = [name for name in shown if name == metric or (name.endswith(f":{metric}") and file in name)]
    return shown[name]


def without_time(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=["seconds", "commit"])


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_equal_seeds_give_the_same_trials(sampler: str, copy: Project) -> None:
    ask_for(copy, sampler=sampler, seeds=2)

    said = search(copy).stderr
    first = read_table(copy)
    search(copy, "--restart", "--no-experiments")

    assert said.count(": trial ") == 4
    assert "judged by val_loss of the validation pictures" in said
    assert list(first["state"]) == ["finished"] * 4
    assert first["val_loss_std"].notna().all()
    pd.testing.assert_frame_equal(without_time(read_table(copy)), without_time(first))
    assert {file.name for file in (copy.root / "plots/searches/tune").iterdir()} >= {"history.png", "slices.png"}


def test_a_grid_is_gone_through_in_order_by_two_workers(copy: Project) -> None:
    ask_for(copy, sampler="grid", trials=9, space={**SPACE, FILTERS: {"low": 2, "high": 4}})

    search(copy, "--jobs", "2")

    table = read_table(copy)
    assert list(table["recipes.tiny_number.epochs"]) == [4, 4, 4, 5, 5, 5]
    assert list(table[FILTERS]) == [2, 3, 4, 2, 3, 4]
    assert list(table["epochs"]) == [4, 4, 4, 5, 5, 5]
    assert list(table["parameters"]) == 2 * list(table["parameters"][:3])
    assert table["parameters"][:3].is_monotonic_increasing
    assert list(table["trial"]) == [1, 2, 3, 4, 5, 6]
    assert len(list((copy.root / "data/searches").glob("tune.?.log"))) == 2
    # whichever ends first, each experiment is of its own trial
    for number in (1, 6):
        shown = copy.run("git", "show", f"{find_experiment(copy, number)}:metrics/searches/tune.json").stdout
        assert json.loads(shown)["trial"] == number
        assert json.loads(shown)["val_loss"] == table["val_loss"][number - 1]


@pytest.mark.parametrize(("pruner", "sampler"), [("median", "grid"), ("hyperband", "tpe")])
def test_hopeless_trainings_are_stopped_early(pruner: str, sampler: str, copy: Project) -> None:
    rates = [0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 1e-7, 1e-8]
    copy.edit("params.yaml", "epochs: 3\n", "epochs: 12\n")
    ask_for(copy, pruner=pruner, sampler=sampler, trials=8, space={f"{RATE}.initial_learning_rate": rates})

    said = search(copy, "--no-experiments").stderr

    stopped = read_table(copy).query("state == 'stopped early'")
    assert len(stopped)
    assert (stopped["epochs"] < 12).all()
    assert stopped["val_loss"].isna().all()
    assert f"{len(stopped)} stopped early" in said


@pytest.mark.parametrize(("sampler", "trials_in_all"), [("tpe", 6), ("grid", 8)])
def test_a_search_that_is_killed_goes_on_and_repeats_nothing(sampler: str, trials_in_all: int, copy: Project) -> None:
    ask_for(copy, sampler=sampler, trials=trials_in_all)
    search(copy)
    expected = read_table(copy)
    copy.run("rm", "-r", "data/searches", "metrics/searches")
    environment = {**os.environ, "PYTHONPATH": str(copy.root)}
    table = copy.root / TABLE
    for trials in (1, 2, 4):
        with subprocess.Popen(
            [Path(sys.executable).with_name("image-recipes"), "search", "tune"], cwd=copy.root, env=environment
        ) as process:
            while not table.exists() or len(pd.read_csv(table)) < trials:
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)

    done = search(copy)

    assert "goes on after" in done.stderr
    assert done.stderr.count(": trial ") <= trials_in_all - 4
    pd.testing.assert_frame_equal(without_time(read_table(copy)), without_time(expected))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "left", "named"),
    [
        # as the search begins, in the middle of it, and at its ends
        ("data/searches", 4096, "tune: No space left on device: put that right"),
        ("data/searches", 8192, "No space left on device"),
        ("metrics/searches", 4096, "metrics/searches/tune.csv: No space left on device"),
        ("plots/searches", 8192, "plots/searches/tune/history.png: No space left on device"),
    ],
)
def test_a_search_on_a_full_disk_goes_on_once_there_is_room(
    folder: str, left: int, named: str, copy: Project, tmp_path: Path
) -> None:
    ask_for(copy)
    search(copy)
    expected = read_table(copy)
    copy.run("rm", "-r", "data/searches", "metrics/searches", "plots/searches")
    again = f"""
        image-recipes search tune --no-experiments 2>&1 && exit 1
        mount -o remount,size=1g {copy.root / folder}
        image-recipes search tune --no-experiments 2> /dev/null && cp {TABLE} {tmp_path}/table.csv
    """

    done = run_on_full_disk(copy, folder, left, "bash", "-c", again)

    assert done.code == 0, done.output
    [said] = [line for line in done.output.splitlines() if line.startswith("error:")]
    assert named in said
    assert "Traceback" not in done.output
    pd.testing.assert_frame_equal(without_time(pd.read_csv(tmp_path / "table.csv")), without_time(expected))


def test_trials_that_fail_are_noted_and_too_many_stop_the_search(copy: Project) -> None:
    # larger than the picture
    ask_for(copy, sampler="grid", trials=6, space={KERNEL: [1, 20, 2]})
    search(copy)
    table = read_table(copy)
    ask_for(copy, sampler="grid", trials=6, space={KERNEL: [1, 20, 21, 22, 2]})
    said = copy.fails("image-recipes", "search", "tune")

    assert list(table["state"]) == ["finished", "failed", "finished"]
    assert "does not fit its input" in str(table.at[1, "reason"])
    assert list(table["parameters"].isna()) == [False, True, False]
    assert "3 of 4 trials have failed: correct the space" in said or "3 of 5 trials have failed" in said
    assert len(read_table(copy)) in (4, 5)


def test_trials_that_still_lie_in_a_changed_space_count(copy: Project) -> None:
    ask_for(copy, sampler="grid", trials=9, space={FILTERS: [2, 3, 4]})
    search(copy)
    first = read_table(copy)
    ask_for(copy, sampler="grid", trials=9, space={FILTERS: [3, 4, 5]})

    said = search(copy).stderr

    assert "2 of 3 earlier trials would be the same now, and count; --restart forgets them" in said
    assert said.count(": trial ") == 1
    table = read_table(copy)
    assert list(table[FILTERS]) == [3, 4, 5]
    assert list(table["val_loss"][:2]) == list(first["val_loss"][1:])
    # with another rate none of them would be the same
    copy.edit("params.yaml", "initial_learning_rate: 0.01", "initial_learning_rate: 0.02")
    assert "0 of 4 earlier trials" in search(copy).stderr


def test_the_winner_is_written_into_params(copy: Project) -> None:
    ask_for(copy, sampler="grid", space={FILTERS: [2, 3], "recipes.tiny_number.epochs": [4, 5]})
    copy.edit("params.yaml", "seed: 0\n", "seed: 0  # of all\n")
    search(copy, "--apply", "--no-experiments")
    table = read_table(copy)
    best = table.nsmallest(1, "val_loss").iloc[0]
    params = load_yaml(copy.root / "params.yaml")

    assert "# of all" in (copy.root / "params.yaml").read_text("utf-8")
    assert params["architectures"]["pool"][0]["Conv2D"]["filters"] == best[FILTERS]
    assert params["recipes"]["tiny_number"]["epochs"] == best["recipes.tiny_number.epochs"]

    copy.commit("Apply")
    search(copy, "--as", "better", "--no-experiments")
    params = load_yaml(copy.root / "params.yaml")
    assert params["recipes"]["better"] == {
        **params["recipes"]["tiny_number"],
        "epochs": best["recipes.tiny_number.epochs"],
    }
    assert "is there already" in copy.fails("image-recipes", "search", "tune", "--as", "better")
    # the pair is compared by the test pictures
    copy.run("image-recipes", "repro", "dots")
    pairs = pd.read_csv(copy.root / "metrics/compare/pairs/dots.csv")
    assert {"better", "tiny_number"} in [set(pair) for pair in pairs[["first", "second"]].to_numpy()]


def test_windows_lines_stay_and_an_anchor_is_refused(copy: Project) -> None:
    ask_for(copy, sampler="grid", trials=1, space={RATE + ".initial_learning_rate": [0.5]})
    file = copy.root / "params.yaml"
    text = file.read_text("utf-8")
    file.write_bytes(text.replace("\n", "\r\n").encode())

    search(copy, "--apply", "--no-experiments")

    written = file.read_bytes()
    assert b"initial_learning_rate: 0.5\r\n" in written
    assert written.count(b"\n") == written.count(b"\r\n")
    # shared by another recipe
    lines = re.sub(r"(  tiny_number:(?:\n    .*)*?\n    optimizer:)", r"\1 &o", text)
    lines = re.sub(
        r"(  tiny_class:(?:\n    .*)*?\n)    optimizer:(?:\n      .*)+\n", r"\1    optimizer: OTHER\n", lines
    )
    start = lines.index("  tiny_class:")
    first = lines[start : lines.index("  tiny_number:")]
    anchored = lines.replace(first, "").replace("architectures:", first.replace("OTHER", "*o") + "architectures:", 1)
    file.write_text(anchored, "utf-8")

    said = copy.fails("image-recipes", "search", "tune", "--apply", "--no-experiments")

    assert "an anchor (&) would change more than the winner: use --as NEWNAME" in said
    assert file.read_text("utf-8") == anchored


def test_an_architecture_that_others_use_does_not_change_with_the_winner(copy: Project) -> None:
    ask_for(copy, sampler="grid", trials=2, space={FILTERS: [2, 3]})
    copy.edit("params.yaml", "architecture: small", "architecture: pool")
    before = (copy.root / "params.yaml").read_bytes()

    said = copy.fails("image-recipes", "search", "tune", "--apply", "--no-experiments")
    assert "tiny_class would change too: make a new recipe by --as NEWNAME" in said
    assert (copy.root / "params.yaml").read_bytes() == before
    search(copy, "--as", "better", "--no-experiments")

    params = load_yaml(copy.root / "params.yaml")
    assert params["recipes"]["better"]["architecture"] == "better"
    assert params["architectures"]["better"][0]["Conv2D"]["filters"] in (2, 3)
    assert params["architectures"]["pool"][0]["Conv2D"]["filters"] == 4


EQUAL = """
from pathlib import Path
from image_recipes.core.files import save_table
from image_recipes.core.params import read_params
from image_recipes.models.saving import save_model
from image_recipes.search.jobs import Job
from image_recipes.search.settings import load_search
from image_recipes.search.training import open_pictures, train_job
from image_recipes.training.calibrating import assess_reliability

search = load_search("tune", read_params())
for filters in (5, 3):
    job = Job(0, "tiny_number", search.at({"%s": filters}), 0, "val_loss")
    model, history = train_job(job)
info, splits = open_pictures("dots")
reliability = assess_reliability(model, info, splits["train"], splits["validation"], 0)
save_model(model, info, Path("trial.keras"), reliability)
save_table(history, Path("trial.csv"))
"""


def test_a_trial_has_the_bytes_of_the_pipeline(copy: Project) -> None:
    ask_for(copy, sampler="grid", trials=2, space={FILTERS: [5, 3]})
    search(copy)
    table = read_table(copy)
    # the second one of a process
    copy.run(sys.executable, "-c", EQUAL % FILTERS)

    file = copy.root / "params.yaml"
    file.write_text(write_values(file.read_text("utf-8"), {FILTERS: 3}), "utf-8")
    copy.repro("train@tiny_number")

    history = copy.root / "plots/history/dots/tiny_number.csv"
    assert (copy.root / "trial.keras").read_bytes() == (copy.root / "models/tiny_number.keras").read_bytes()
    assert (copy.root / "trial.csv").read_bytes() == history.read_bytes()
    assert table["val_loss"][1] == pd.read_csv(history)["val_loss"].iloc[-1]


def test_finished_trials_are_experiments_of_dvc(copy: Project) -> None:
    ask_for(copy, sampler="grid", trials=3, space={FILTERS: [2, 3], KERNEL: [1]})
    copy.commit("Ask for a search")
    before = copy.run("git", "rev-parse", "HEAD").stdout
    search(copy)
    table = read_table(copy)
    copy.commit("Search")

    assert copy.run("git", "rev-parse", "HEAD^").stdout == before
    shown = copy.run("dvc", "exp", "show", "--csv", "--hide-workspace", "--all-commits").stdout
    table_shown = pd.read_csv(io.StringIO(shown), dtype=str, keep_default_na=False)
    [trial] = table_shown[table_shown["Experiment"] == "tune-2"].to_dict("records")
    assert float(find_metric(trial, "tune.json", "val_loss")) == table["val_loss"][1]
    # the figures of the recipe with other params are not a trial's
    assert find_metric(trial, "metrics/dots/tiny_number.json", "test_mse") in ("", "!", "-")
    copy.run("git", "checkout", "--quiet", "HEAD^")
    copy.run("dvc", "exp", "apply", "tune-2")
    assert load_yaml(copy.root / "params.yaml")["architectures"]["pool"][0]["Conv2D"]["filters"] == 3


def test_experiments_are_of_the_trials_that_the_table_has(copy: Project) -> None:
    ask_for(copy, sampler="grid", trials=3, space={FILTERS: [2, 3, 4]})
    copy.commit("Ask for a search")
    search(copy)
    # one that a stop has kept from being made
    copy.run("git", "update-ref", "-d", f"refs/exps/{'/'.join(_head(copy))}/tune-3")
    ask_for(copy, sampler="grid", trials=3, space={FILTERS: [3, 4]})

    search(copy)

    table = read_table(copy)
    names = copy.run("git", "for-each-ref", "--format=%(refname:lstrip=4)", "refs/exps").stdout.split()
    assert sorted(names) == ["tune-1", "tune-2"]
    for place, number in enumerate(table["trial"]):
        text = copy.run("git", "show", f"{find_experiment(copy, number)}:params.yaml").stdout
        assert YAML().load(text)["architectures"]["pool"][0]["Conv2D"]["filters"] == table[FILTERS][place]
    best = json.loads((copy.root / "metrics/searches/tune.json").read_text("utf-8"))
    assert best["val_loss"] == table["val_loss"].min()


def _head(project: Project) -> tuple[str, str]:
    head = project.run("git", "rev-parse", "HEAD").stdout.strip()
    return head[:2], head[2:]


def test_names_that_the_locale_does_not_know_stand_in_experiments(copy: Project) -> None:
    # a project in a folder of a larger repository
    folder = copy.root / "관찰 기록"
    folder.mkdir()
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    copy.run("git", "config", "user.name", "김철수")
    code = (
        "import os; os.chdir(b'\\xea\\xb4\\x80\\xec\\xb0\\xb0 \\xea\\xb8\\xb0\\xeb\\xa1\\x9d')\n"
        "from image_recipes.commands.git import ask_git\n"
        "print(ascii(ask_git('rev-parse', '--show-prefix')), ascii(ask_git('var', 'GIT_COMMITTER_IDENT')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=copy.root,
        env={**os.environ, **environment, "PYTHONPATH": str(copy.root), "GIT_COMMITTER_NAME": "김철수"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ascii("관찰 기록/\n") in done.stdout
    assert ascii("김철수")[1:-1] in done.stdout


def test_a_smaller_space_leaves_nothing_of_a_larger_one(copy: Project) -> None:
    rates = {"low": 1e-3, "high": 0.1, "log": True}
    ask_for(copy, trials=9, space={f"{RATE}.initial_learning_rate": rates})
    search(copy, "--no-experiments")
    assert (copy.root / "plots/searches/tune/importance.png").exists()
    ask_for(copy, sampler="grid", trials=1, space={FILTERS: [2]})

    search(copy, "--no-experiments")

    assert not (copy.root / "plots/searches/tune/importance.png").exists()
    best = json.loads((copy.root / "metrics/searches/tune.json").read_text("utf-8"))
    assert best["val_loss"] == read_table(copy)["val_loss"][0]


def test_a_model_that_trials_start_from_has_to_be_there(copy: Project) -> None:
    copy.edit("params.yaml", "tiny_number:\n", "tiny_number:\n    # of its own\n")
    text = (copy.root / "params.yaml").read_text("utf-8")
    start, end = text.index("  tiny_number:"), text.index("architectures:")
    recipe = text[start:end].replace("tiny_number", "earlier")
    changed = text[start:end].replace("data/weights/random", "models/earlier.keras")
    (copy.root / "params.yaml").write_text(text[:start] + recipe + changed + text[end:], "utf-8")
    ask_for(copy, trials=1, space={"recipes.tiny_number.epochs": [4]})

    said = copy.fails("image-recipes", "search", "tune")

    assert "models/earlier.keras: not found, and trials start from it" in said
    assert "make it first by `image-recipes repro earlier`" in said


def test_no_experiments_are_made_where_none_are_wanted(copy: Project) -> None:
    ask_for(copy, trials=1)

    search(copy, "--no-experiments")

    assert "refs/exps" not in copy.run("git", "for-each-ref").stdout


def test_changes_that_are_not_committed_are_noted(copy: Project) -> None:
    ask_for(copy, trials=1)
    with (copy.root / "image_recipes/search/seeds.py").open("a") as file:
        file.write("# changed\n")

    said = search(copy).stderr

    assert "warning: image_recipes/search/seeds.py: not committed" in said
    assert read_table(copy)["commit"][0].endswith("-dirty")


def test_two_at_once_are_refused(copy: Project) -> None:
    ask_for(copy, trials=2)
    holder = "import time; from image_recipes.core.locks import hold_lock\nwith hold_lock('search@tune', 'x'): input()"
    with subprocess.Popen(
        [sys.executable, "-c", f"{holder}"], cwd=copy.root, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    ) as process:
        while not (copy.root / "data/locks/search@tune.lock").exists():
            time.sleep(0.05)
        said = copy.fails("image-recipes", "search", "tune")
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.close()

    assert len([line for line in said.splitlines() if line.startswith("error:")]) == 1
    assert not (copy.root / TABLE).exists()


@pytest.mark.parametrize(("content", "goes_on"), [(b'{"op_code": 0, "wor', True), (b"nonsense\n", False)])
def test_a_damaged_journal_is_cut_or_refused(content: bytes, goes_on: bool, copy: Project) -> None:
    ask_for(copy, trials=2)
    search(copy)
    first = read_table(copy)
    with (copy.root / "data/searches/tune.journal").open("ab") as file:
        file.write(content)
    (copy.root / "data/searches/tune.journal.lock").write_bytes(b"")

    if goes_on:
        assert "all of its 2 trials are there" in search(copy).stderr
    else:
        assert "forget its trials by --restart" in copy.fails("image-recipes", "search", "tune")
        search(copy, "--restart")
    pd.testing.assert_frame_equal(without_time(read_table(copy)), without_time(first))


def test_the_winner_of_another_machine_is_applied_without_training(copy: Project) -> None:
    # more trials than the grid has
    ask_for(copy, sampler="grid", trials=9, space={FILTERS: [2, 3], "recipes.tiny_number.epochs": [4, 5]})
    search(copy)
    copy.run("rm", "-r", "data/searches")

    said = search(copy, "--as", "better")

    assert "takes the trials of metrics/searches/tune.csv" in said.stderr
    assert ": trial " not in said.stderr
    assert "better" in load_yaml(copy.root / "params.yaml")["recipes"]
