"""Tasks: every table that is keyed by their records has each of them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from image_recipes.commands.by_task import COMMANDS
from image_recipes.comparison.by_task import COMPARISON
from image_recipes.core.tasks import TASKS, Task
from image_recipes.data.labels import LABELS
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.figures.by_task import FIGURES
from image_recipes.models.build import HEADS
from image_recipes.report.by_task import REPORT
from image_recipes.results.by_task import RESULTS
from projects import ROOT

TABLES: dict[str, Mapping[Task, Any]] = {
    "LABELS": LABELS,
    "HEADS": HEADS,
    "RESULTS": RESULTS,
    "EVALUATION": EVALUATION,
    "COMPARISON": COMPARISON,
    "FIGURES": FIGURES,
    "REPORT": REPORT,
    "COMMANDS": COMMANDS,
}


@pytest.mark.parametrize("table", TABLES)
def test_every_table_has_every_task(table: str) -> None:
    assert list(TABLES[table]) == list(TASKS.values())


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_a_task_s_names_belong_together(task: Task) -> None:
    columns = COMPARISON[task].table_columns
    assert columns[0] == f"test_{task.metric}"
    assert f"val_{task.metric}" in columns
    assert task.progress_metric in task.stopping_monitors
    template = json.loads((ROOT / f".dvc/plots/predictions_{task.name}.json").read_text("utf-8"))
    assert template["$schema"].startswith("https://vega.github.io/schema/vega-lite/")


def test_an_error_is_less_for_the_better() -> None:
    for task in TASKS.values():
        better, worse = (0.9, 0.8) if task.greater_is_better else (0.8, 0.9)
        assert task.error(better) < task.error(worse)


def test_the_record_says_where_the_tables_are() -> None:
    text = (ROOT / "image_recipes/core/tasks.py").read_text("utf-8").split('"""')[1]

    assert all(f"`{name}`" in text for name in TABLES)
