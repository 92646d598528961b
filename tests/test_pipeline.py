"""dvc.yaml against the code: what each stage declares is what it imports, reads and writes."""

import ast
import json
from pathlib import Path

import pytest
from conftest import ROOT, Project, load_yaml

from image_recipes.params import RANDOM

STAGES = sorted(path.stem for path in (ROOT / "stages").glob("*.py") if path.stem != "__init__")

# runs a stage as DVC does, and prints the files it opened and the params it asked for
RECORDER = """
import json, os, runpy, sys
stage, *arguments = sys.argv[1:]
opened = []
def record(event, values):
    # a call of os.open has flags instead of a mode; it opens folders, to delete them
    if event == "open" and isinstance(values[0], (str, bytes, os.PathLike)) and values[1]:
        opened.append((os.path.abspath(os.fsdecode(values[0])), "r" if values[1].startswith("r") else "w"))
import image_recipes.params as params
read, asked = params.read_section, []
params.read_section = lambda *path: (asked.append(".".join(path)), read(*path))[1]
sys.argv = [stage, *arguments]
sys.addaudithook(record)
runpy.run_module(f"stages.{stage}", run_name="__main__", alter_sys=True)
print(json.dumps({"opened": opened, "asked": asked}))
"""


def imported(module: Path, seen: set[str]) -> set[str]:
    """Collect the project's modules that a module imports, directly or through others."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            file = name.replace(".", "/") + ".py"
            if name.startswith("image_recipes.") and (ROOT / file).exists() and file not in seen:
                seen.add(file)
                imported(ROOT / file, seen)
    return seen


def test_stage_is_file_is_key() -> None:
    stages = load_yaml(ROOT / "dvc.yaml")["stages"]

    assert sorted(stages) == STAGES
    for name, stage in stages.items():
        stage = stage.get("do", stage)
        assert stage["cmd"].removesuffix(" ${key}") == f"python -m stages.{name}"
        assert len((ROOT / f"stages/{name}.py").read_text("utf-8").splitlines()) < 60, name


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_exactly_the_modules_it_imports(name: str) -> None:
    stage = load_yaml(ROOT / "dvc.yaml")["stages"][name]
    declared = {dep for dep in stage.get("do", stage)["deps"] if dep.endswith(".py")}

    script = f"stages/{name}.py"
    assert declared == imported(ROOT / script, {script})


def test_imports_run_one_way() -> None:
    # each module may import only what stands before it
    order = [
        "errors",
        "extras",
        "files",
        "stage",
        "params",
        "datasets",
        "mnist",
        "dots",
        "duplicates",
        "decoding",
        "decoders",
        "problems",
        "pictures",
        "folder",
        "table",
        "splits",
        "sources",
        "checks",
        "drawing",
        "refused",
        "backend",
        "components",
        "augmentation",
        "archives",
        "backbones",
        "models",
        "optimizers",
        "pipelines",
        "execution",
        "progress",
        "training",
        "histories",
        "metrics",
        "scoring",
        "predictions",
        "predicting",
        "exporting",
        "demo",
        "baselines",
        "uncertainty",
        "inspection",
        "evaluation",
        "comparison",
        "pairs",
        "charts",
        "reporting",
        "revisions",
        "figures",
        "adding",
        "cli",
    ]
    modules = {path.stem for path in (ROOT / "image_recipes").glob("*.py")} - {"__init__"}

    assert modules == set(order)
    for position, module in enumerate(order):
        below = {f"image_recipes/{name}.py" for name in order[:position]}
        assert imported(ROOT / f"image_recipes/{module}.py", set()) <= below, module


@pytest.mark.parametrize("name", sorted(set(STAGES) - {"train", "evaluate"}))
def test_stages_that_need_no_tensorflow_do_not_import_it(name: str) -> None:
    assert "image_recipes/backend.py" not in imported(ROOT / f"stages/{name}.py", set())


@pytest.mark.parametrize(
    "stage",
    [
        "check",
        "prepare@mnist",
        "prepare@dots",
        "split@dots",
        "baseline@mnist",
        "baseline@dots",
        pytest.param("train@tiny_class", marks=pytest.mark.slow),
        pytest.param("evaluate@tiny_class", marks=pytest.mark.slow),
        "plot@tiny_number",
        "compare@mnist",
        pytest.param("report", marks=pytest.mark.slow),
    ],
)
def test_a_stage_reads_and_writes_exactly_what_it_declares(stage: str, playground: Project) -> None:
    locked = load_yaml(playground.root / "dvc.lock")["stages"][stage]
    name, _, key = stage.partition("@")
    done = playground.run("python", "-c", RECORDER, name, *filter(None, [key]))
    recorded = json.loads(done.stdout.splitlines()[-1])

    root = playground.root
    opened = {
        (Path(file).relative_to(root).as_posix(), mode)
        for file, mode in recorded["opened"]
        if Path(file).is_relative_to(root)
    }
    read = {
        file for file, mode in opened if mode == "r" and not file.endswith((".py", ".pyc")) and file != "params.yaml"
    }
    # a file may be read again that the stage itself has written, and DVCLive's are its own
    written = {file.replace(".partial-", "") for file, mode in opened if mode == "w"}
    own = {file for file in read if file.startswith(("dvclive/", ".")) or "/.partial-" in file}
    deps = [dep["path"] for dep in locked["deps"]]
    outs = [out["path"] for out in locked["outs"]]

    def covers(path: str, file: str) -> bool:
        return file == path or file.startswith(f"{path}/")

    assert [file for file in read - own if not any(covers(dep, file) for dep in deps)] == []
    data = [dep for dep in deps if not dep.endswith(".py") and dep not in {"data/checked/ok", RANDOM}]
    assert [dep for dep in data if not any(covers(dep, file) for file in read)] == []
    assert [
        file
        for file in written
        if not file.startswith(("dvclive/", ".")) and not any(covers(out, file) for out in outs)
    ] == []
    assert [out for out in outs if not any(covers(out, file) for file in written)] == []

    params = locked.get("params", {}).get("params.yaml", {})
    if name not in {"check", "report"}:  # which depend on the whole file
        assert set(recorded["asked"]) == set(params)
