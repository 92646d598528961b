"""The examples in docstrings: each says what really comes out."""

import doctest
import importlib
import subprocess
import sys

import pytest

from imports import imported
from projects import ROOT

BACKEND = "image_recipes/models/backend.py"
FILES = sorted(
    file.relative_to(ROOT).as_posix()
    for file in (ROOT / "image_recipes").rglob("*.py")
    if ">>>" in file.read_text("utf-8")
)
WITHOUT_TENSORFLOW = [file for file in FILES if BACKEND not in imported(file)]


def module_name(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


@pytest.mark.parametrize("file", FILES)
def test_examples_are_right(file: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(module_name(file)))

    assert tried
    assert not failed


def test_examples_that_need_no_tensorflow_do_not_import_it() -> None:
    names = [module_name(file) for file in WITHOUT_TENSORFLOW]
    program = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", program, *names], cwd=ROOT, text=True, capture_output=True, check=True)

    assert len(names) > len(FILES) / 2
    assert {"tensorflow", "keras"} & set(done.stdout.split()) == set()
