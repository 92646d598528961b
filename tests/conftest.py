"""What tests share: projects in temporary folders, and a browser."""

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import settings

from projects import TINY_PARAMS, Project, make_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# of the property tests: the same few examples each time; by `pytest -m hypothesis --hypothesis-profile torture`, many
settings.register_profile("few", max_examples=50, derandomize=True, deadline=None, database=None)
settings.register_profile("torture", max_examples=1_000, deadline=None, print_blob=True)
settings.load_profile("few")

# tests that run in the background have Ctrl-C ignored, and so would have every process that they start
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one test process make the finished project while the others run what does without it."""
    needing = [item for item in items if "finished" in getattr(item, "fixturenames", ())]
    first, later = needing[:1], {id(item) for item in needing[1:]}
    rest = [item for item in items if id(item) not in later and item not in first]
    items[:] = first + rest + needing[1:]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A tiny project in which nothing has run yet."""
    return make_project(tmp_path / "project", TINY_PARAMS)


@pytest.fixture(scope="session")
def make_shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str, str], Project]:
    """Make a finished project, by a name and params, once for all test processes."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent

    def make(name: str, params: str) -> Project:
        with FileLock(shared / f"{name}.lock"):
            if not (shared / f"{name}.done").exists():
                project = make_project(shared / name, params)
                project.repro()
                project.commit("Results")
                (shared / f"{name}.done").touch()
        return Project(shared / name)

    return make


@pytest.fixture(scope="session")
def finished(make_shared: Callable[[str, str], Project]) -> Project:
    """A tiny project with committed results; not to be changed. All test processes share it."""
    return make_shared("finished", TINY_PARAMS)


@pytest.fixture
def playground(finished: Project, tmp_path: Path) -> Project:
    """A tiny project with committed results, to be changed at will."""
    return finished.copy(tmp_path / "playground")


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """A real browser: the system's Chromium, or else Playwright's own."""
    # here, since it comes with the extras
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # root may not use Chromium's sandbox
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def in_bare_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder with the params of a tiny project alone, as the current one: for what needs neither git nor DVC."""
    (tmp_path / "params.yaml").write_text(TINY_PARAMS, "utf-8")
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)
