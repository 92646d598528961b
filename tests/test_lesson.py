"""The lesson: its notebook runs, and is what its text says."""

import os
import sys
from pathlib import Path

import pytest

from projects import ROOT, Project


@pytest.mark.slow
def test_the_lesson_runs(playground: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import jupytext
    from nbclient import NotebookClient

    # its commands are this Python's, as everywhere in the tests
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    lesson = jupytext.read(playground.root / "lesson/lesson.md")
    NotebookClient(lesson, timeout=300, resources={"metadata": {"path": playground.root / "lesson"}}).execute()

    printed = "".join(
        output.get("text", "") for cell in lesson.cells if cell.cell_type == "code" for output in cell.outputs
    )
    assert "Data and pipelines are up to date." in printed
    assert "params.yaml: recipes: my_digits_cnn" in printed
    assert playground.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.slow
def test_the_executed_notebook_belongs_to_the_text() -> None:
    import jupytext

    text, notebook = (jupytext.read(ROOT / f"lesson/lesson.{ending}") for ending in ["md", "ipynb"])

    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in text.cells
    ]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
