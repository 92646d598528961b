"""`image-recipes report`: some datasets on one page."""

from pathlib import Path

import pytest

from calling import call, call_fails
from projects import Project


def test_the_command_writes_the_page_of_the_pipeline(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.root)

    said = call("report", "mnist", "dots", "--output", str(tmp_path / "page.html")).stdout

    assert said == f"{tmp_path / 'page.html'}\n"
    assert (tmp_path / "page.html").read_bytes() == Path("plots/report.html").read_bytes()


def test_a_page_of_one_dataset_shows_it_alone(playground: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(playground.root)

    assert call("report", "dots").stdout == "plots/report_dots.html\n"

    page = Path("plots/report_dots.html").read_text("utf-8")
    assert "tiny_number" in page
    assert "tiny_class" not in page


def test_a_dataset_that_there_is_not_is_named(in_bare_project: Project) -> None:
    assert "datasets: no dataset 'mnst': did you mean 'mnist'?" in call_fails("report", "mnst")


def test_what_has_not_run_is_named(in_bare_project: Project) -> None:
    output = call_fails("report", "mnist")

    assert output == "error: data/prepared/mnist: missing or damaged: make it by `dvc repro prepare@mnist`\n"
