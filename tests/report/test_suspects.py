"""The section of the report on suspicious labels."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from image_recipes.core.dataset import Prepared
from image_recipes.core.params import read_params
from image_recipes.report.page import DatasetView, render, view_dataset
from image_recipes.report.suspects import SUSPECTS_SHOWN, view_suspects
from image_recipes.results.suspects import COLUMNS, Suspects, save_suspects
from projects import Project
from recipes import class_info

NASTY = "<img src=x onerror=alert(1)>.png"
# of pictures whose files are gone, what was prepared is shown
PREPARED = Prepared(np.zeros((100, 8, 8, 1), np.uint8), np.zeros(100, int), class_info([8, 8, 1], ["birch", "oak"]))


@pytest.fixture
def view(finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetView:
    monkeypatch.chdir(finished.root)
    made = view_dataset("mnist", ["tiny_class"], read_params())
    monkeypatch.chdir(tmp_path)
    return made


def show(view: DatasetView, suspicious: int, judged: int, recipes: int) -> str:
    rows = [(n + 1, "test", n, NASTY if n == 0 else f"oak/{n}.png", "oak", "birch", 0.9, 1) for n in range(suspicious)]
    save_suspects(Suspects(pd.DataFrame(rows, columns=list(COLUMNS)), 100, judged, recipes), "mnist")
    suspects = view_suspects("mnist", PREPARED, {0: np.full((8, 8, 3), 255, np.uint8)})
    page = render([view._replace(suspects=suspects)])
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_the_section_shows_the_first_with_what_to_do(view: DatasetView) -> None:
    html = show(view, suspicious=40, judged=98, recipes=2)

    assert html.count("labelled oak, rather birch") == SUSPECTS_SHOWN
    section = html[html.index("Which labels are wrong") :]
    section = section[: section.index("The next 16")]
    # one of them has its heat map
    assert section.count('src="data:image/png') == SUSPECTS_SHOWN + 1
    assert section.count('alt="heat map') == 1
    assert "레이블 oak, birch 쪽이 더 그럴듯함" in html
    assert "Suspicious labels: 40 of 98." in html
    assert "metrics/suspects/mnist.csv lists all" in html
    # those without a picture are named, too
    assert "The next 16, by their files' names" in html.replace("&#39;", "'")
    assert html.count("<code>oak/39.png</code>") == 1
    assert "oak/3.png" in html
    assert "doubt 0.90 of 1, by 1 of 2 recipes" in html
    assert "2 more could not be judged" in html
    assert "<img src=x" not in html


def test_it_says_so_if_none_is_suspicious_or_nothing_can_be_said(view: DatasetView) -> None:
    assert "No label is suspicious" in show(view, suspicious=0, judged=100, recipes=1)
    nothing = show(view, suspicious=0, judged=0, recipes=0)
    assert "No label is suspicious" not in nothing
    assert "Nothing can be said of the labels" in nothing
    assert "could not be judged" not in nothing


def test_without_the_stage_the_report_has_no_such_section(playground: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(playground.root)
    for dataset, recipe in [("mnist", "tiny_class"), ("dots", "tiny_number")]:
        assert "Which labels are wrong" in render([view_dataset(dataset, [recipe], read_params())])
        Path(f"metrics/suspects/{dataset}.csv").unlink()
        assert "Which labels are wrong" not in render([view_dataset(dataset, [recipe], read_params())])
