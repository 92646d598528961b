"""dvc.yaml against the code: what each stage declares is what it imports, reads and writes."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from image_recipes.core.files import LOCK
from image_recipes.models.recipe import RANDOM
from imports import imported, named_imports
from projects import ROOT, Project, load_yaml

STAGES = sorted(path.stem for path in (ROOT / "stages").glob("*.py") if not path.stem.startswith("_"))
# what every command of dvc.yaml begins with
RUNNER = "stages/__main__.py"
CODE = ("image_recipes/", "stages/")
# of a declared folder's modules, the share that a stage imports at least: `evaluate` opens models
# by 3 of the 9 in models/, any other stage imports half of a folder or more
LEAST_SHARE = 0.33
MOST_CODE_DEPS = 58
# what stands in for no file at all, or for a check that was passed, so that nobody reads it
UNREAD = {"data/checked/ok", "data/raw/generated", RANDOM}

# runs stages one after the other as DVC does, and prints the files that each opened and the params it asked for
RECORDER = """
import json, os, runpy, sys
opened, asked, records = [], [], {}
def record(event, values):
    # a call of os.open has flags instead of a mode; it opens folders, to delete them
    if event == "open" and isinstance(values[0], (str, bytes, os.PathLike)) and values[1]:
        opened.append((os.path.abspath(os.fsdecode(values[0])), "r" if values[1].startswith("r") else "w"))
import image_recipes.core.params as params
read = params.read_section
params.read_section = lambda *path: (asked.append(".".join(path)), read(*path))[1]
stages = sys.argv[1:]
sys.addaudithook(record)
for stage in stages:
    opened.clear(), asked.clear()
    name, _, key = stage.partition("@")
    sys.argv = [name, *filter(None, [key])]
    runpy.run_module(f"stages.{name}", run_name="__main__", alter_sys=True)
    records[stage] = {"opened": list(opened), "asked": list(asked)}
print(json.dumps(records))
"""


def load_stages() -> dict[str, dict[str, Any]]:
    return {name: stage.get("do", stage) for name, stage in load_yaml(ROOT / "dvc.yaml")["stages"].items()}


def covers(path: str, file: str) -> bool:
    return file == path or file.startswith(f"{path}/")


def modules_of(dep: str) -> set[str]:
    """List the modules that a dependency holds: itself, or those of a folder."""
    path = ROOT / dep
    files = [path] if path.is_file() else path.rglob("*.py")
    return {file.relative_to(ROOT).as_posix() for file in files if file.name != "__init__.py"}


def test_stage_is_file_is_key() -> None:
    stages = load_stages()

    assert sorted(stages) == STAGES
    for name, stage in stages.items():
        # without the name of a recipe or a dataset, which a shell would read
        assert stage["cmd"] == f"python -m stages {name}"
        assert [dep for dep in stage["deps"] if dep.startswith("stages/")] == [f"stages/{name}.py"]
        assert len((ROOT / f"stages/{name}.py").read_text("utf-8").splitlines()) < 60, name


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_the_modules_it_imports(name: str) -> None:
    declared = [dep for dep in load_stages()[name]["deps"] if dep.startswith("image_recipes/")]
    needed = imported(f"stages/{name}.py") | imported(RUNNER)

    assert needed
    assert [file for file in needed if not any(covers(dep, file) for dep in declared)] == []
    assert [dep for dep in declared if not (ROOT / dep).exists()] == []
    shares = {dep: len(modules_of(dep) & needed) / len(modules_of(dep)) for dep in declared}
    assert {dep: share for dep, share in shares.items() if share < LEAST_SHARE} == {}
    # and none is declared within another
    assert [dep for dep in declared for other in declared if dep != other and covers(other, dep)] == []


def test_training_depends_on_no_module_that_it_does_not_import() -> None:
    # it is what takes long to repeat
    declared = {
        module
        for dep in load_stages()["train"]["deps"]
        if dep.startswith("image_recipes/")
        for module in modules_of(dep)
    }

    assert declared == imported("stages/train.py") | imported(RUNNER)


def test_code_deps_are_few() -> None:
    deps = [dep for stage in load_stages().values() for dep in stage["deps"] if dep.startswith("image_recipes/")]

    assert len(deps) <= MOST_CODE_DEPS


def test_packages_hold_no_code_of_their_own() -> None:
    # a stage runs those above its modules too, whose folders it does not declare
    packages = [*(ROOT / "image_recipes").rglob("__init__.py")]

    assert len(packages) > 5
    assert [package for package in packages if package.read_text("utf-8")] == []
    # nor is that of the stages declared: it has a say where one is stopped, and in nothing that one writes
    assert imported("stages/__init__.py") == {"image_recipes/core/parent.py"}
    assert all("image_recipes/core" in stage["deps"] for stage in load_stages().values())
    body = ast.parse((ROOT / "stages/__init__.py").read_text("utf-8")).body
    assert [ast.unparse(node) for node in body[-2:]] == ["sys.excepthook = _tell_interrupt", "end_stage_with_dvc()"]


@pytest.mark.parametrize("name", sorted(set(STAGES) - {"train", "evaluate", "heatmaps"}))
def test_stages_that_need_no_tensorflow_do_not_import_it(name: str) -> None:
    script = f"stages/{name}.py"
    modules = {script} | imported(script)

    assert "image_recipes/models/backend.py" not in modules
    slow = {
        (module, imports)
        for module in modules
        for imports in named_imports(ROOT / module)
        if imports.split(".")[0] in {"keras", "tensorflow", "dvclive"}
    }
    assert slow == set()


@pytest.mark.parametrize(
    "stages",
    [
        # one process for all of these, since it takes longer to start than most of them run
        [
            "check",
            "prepare@mnist",
            "prepare@dots",
            "split@dots",
            "baseline@mnist",
            "baseline@dots",
            "plot@tiny_number",
            "compare@mnist",
            "suspects@mnist",
        ],
        pytest.param(["train@tiny_class"], marks=pytest.mark.slow),
        pytest.param(["evaluate@tiny_class"], marks=pytest.mark.slow),
        pytest.param(["heatmaps@tiny_class"], marks=pytest.mark.slow),
        pytest.param(["report"], marks=pytest.mark.slow),
    ],
    ids=lambda stages: stages[0],
)
def test_a_stage_reads_and_writes_exactly_what_it_declares(stages: list[str], playground: Project) -> None:
    lock = load_yaml(playground.root / "dvc.lock")["stages"]
    done = playground.run("python", "-c", RECORDER, *stages)
    records = json.loads(done.stdout.splitlines()[-1])

    assert list(records) == stages
    for stage, recorded in records.items():
        check_record(stage, recorded, lock[stage], playground.root)


def check_record(stage: str, recorded: dict[str, Any], locked: dict[str, Any], root: Path) -> None:
    opened = {
        (Path(file).relative_to(root).as_posix(), mode)
        for file, mode in recorded["opened"]
        # what is not there was looked for in vain, as Python does on its path
        if Path(file).is_relative_to(root) and (mode == "w" or Path(file).exists())
    }
    read = {
        file for file, mode in opened if mode == "r" and not file.endswith((".py", ".pyc")) and file != "params.yaml"
    }
    # a file may be read again that the stage itself has written, and DVCLive's are its own
    written = {re.sub(r"\.partial-[^/]+/", "", file) for file, mode in opened if mode == "w"}
    # nor are locks
    written = {file for file in written if not file.startswith("data/locks/") and Path(file).name != LOCK}
    own = {file for file in read if file.startswith(("dvclive/", "data/locks/", ".")) or "/.partial-" in file}
    deps = [dep["path"] for dep in locked["deps"]]
    outs = [out["path"] for out in locked["outs"]]

    assert [file for file in read - own if not any(covers(dep, file) for dep in deps)] == [], stage
    data = [dep for dep in deps if not dep.startswith(CODE) and dep not in UNREAD]
    assert [dep for dep in data if not any(covers(dep, file) for file in read)] == [], stage
    assert [
        file
        for file in written
        if not file.startswith(("dvclive/", ".")) and not any(covers(out, file) for out in outs)
    ] == [], stage
    assert [out for out in outs if not any(covers(out, file) for file in written)] == [], stage

    params = locked.get("params", {}).get("params.yaml", {})
    if stage not in {"check", "report"}:  # which depend on the whole file
        assert set(recorded["asked"]) == set(params), stage
