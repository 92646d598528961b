"""What is said of packages that are not ours: their licences, their weaknesses, and the actions that CI runs."""

import json
import re

import pytest

from packages.audit import read_findings
from packages.licences import BEGIN, END, PAGES
from packages.locked import list_locked
from projects import ROOT


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_locked_package_stands_on_the_page(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    table = (ROOT / page).read_text("utf-8").partition(BEGIN)[2].partition(END)[0]

    listed = re.findall(r"[\w.-]+", " ".join(row.split("|")[2] for row in table.splitlines()[2:]))
    assert sorted(listed) == list_locked(), "run `make licences`"
    assert "| unknown |" not in table


def test_a_package_that_was_not_asked_for_is_not_free_of_weaknesses() -> None:
    report = {
        "dependencies": [
            {"name": "sound", "version": "1", "vulns": []},
            {"name": "weak", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]},
            {"name": "lost", "skip_reason": "Dependency not found on PyPI"},
        ]
    }

    assert read_findings(json.dumps(report)) == (["weak 2: PYSEC-1, mended in 3"], ["lost"], 2)
    assert read_findings("") == ([], [], 0)


def test_actions_are_pinned_by_hash() -> None:
    used = [
        line
        for workflow in (ROOT / ".github/workflows").glob("*.yml")
        for line in re.findall(r"uses: *(.*)", workflow.read_text("utf-8"))
    ]

    assert used
    assert [line for line in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", line)] == []
