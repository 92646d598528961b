"""README and docs: their commands print what stands there, numbers aside, and both languages say the same."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from image_recipes.comparison.verdict import WHERE_TO_LOOK
from image_recipes.core.yaml_file import read_yaml
from image_recipes.training.watch import CAUSES
from projects import OUR_OWN, ROOT, Project

PAGES = ["README", *sorted(f"docs/{file.stem}" for file in (ROOT / "docs").glob("*.md") if "." not in file.stem)]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# before a block of `sh` that the blocks after it need
RUN = "<!-- run -->\n"
# sizes at which all recipes are trained in a minute
TINY = {
    r"(\n {4}epochs: )\d+": r"\g<1>1",
    "train: 50000": "train: 400",
    "validation: 10000": "validation: 100",
    "train: 1500": "train: 200",
    "validation: 300": "validation: 100",
    "test: 10000": "test: 100",
    # a pruner needs more epochs than one
    r"pruner: \w+": "pruner: none",
    r"trials: \d+": "trials: 3",
}
# what differs from run to run, or from the real sizes to these
MASKS = {
    # what was learned, and of a warning the cause
    r"\b(no better|better|worse) than .*\(.*": "JUDGEMENT",
    r"(?<=best on the validation pictures: )\w+": "RECIPE",
    r"\b[\w:]+ is better than (baseline: )?[\w:]+|no evidence of a difference at n = [\d,]+": "VERDICT",
    r"\b[a-z]{4,6}-[a-z]{4,6}\b": "NAME",
    r"\b[0-9a-f]{7}\b": "HASH",
    r"\d\d:\d\d [AP]M": "TIME",
    r"-?\d+([.,]\d+)*(e[-+]?\d+)?": "#",
    r"[ \t]+": " ",
}


@dataclass
class Step:
    """A command of a page, and what it is said to print; None where nothing is said."""

    command: str
    output: list[str] | None


def read_steps(page: str) -> list[Step]:
    """Read the commands of a page that are run, in order."""
    text = (ROOT / f"{page}.md").read_text("utf-8")
    steps = []
    for block in FENCE.finditer(text):
        language, content = block.groups()
        if language == "console":
            for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
                lines = part.splitlines()
                count = next(n for n, line in enumerate(lines, 1) if not line.endswith(("\\", "|")))
                steps.append(Step("\n".join(lines[:count]), lines[count:]))
        elif text[: block.start()].endswith(RUN):
            steps.append(Step(content, None))
    return steps


def mask(text: str) -> str:
    """Replace what may differ."""
    for pattern, word in MASKS.items():
        text = re.sub(pattern, word, text)
    return text.strip()


def find_mismatch(expected: list[str], printed: list[str]) -> str | None:
    """Say which expected line was not printed; a line `...` stands for any lines."""
    # at these sizes more recipes learn nothing
    looked_for = [*expected, *(line for line in printed if not line.startswith("what to look at next:"))]
    rest = [mask(line) for line in printed if line.strip() and line in looked_for]
    anywhere = False
    for line in expected:
        if line.strip() in ("...", ""):
            anywhere = anywhere or line.strip() == "..."
            continue
        wanted = mask(line)
        place = rest.index(wanted) if wanted in rest else None
        if place is None or (place > 0 and not anywhere):
            return f"wanted: {wanted}\nprinted: {rest[:5]}"
        rest, anywhere = rest[place + 1 :], False
    return None if not rest or anywhere else f"printed too: {rest[:5]}"


@pytest.fixture(scope="session")
def trained(make_shared: Callable[[str, str], Project]) -> Project:
    """This project, all of its recipes trained at tiny sizes and committed."""
    params = (ROOT / "params.yaml").read_text("utf-8")
    for pattern, text in TINY.items():
        params, count = re.subn(pattern, text, params)
        assert count, pattern
    return make_shared("pages", params)


def run(project: Project, command: str) -> tuple[int, list[str]]:
    """Run a command as a reader would, and return its exit status and all lines it printed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"COLUMNS": "200", "VIRTUAL_ENV": sys.prefix}
    # in a project that is made, Git asks for them
    environment |= {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in {"NAME": "Reader", "EMAIL": "reader@example.com"}.items()
    }
    for name in OUR_OWN:
        environment.pop(name, None)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=project.root,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if command.startswith("image-recipes add"):
        file = project.root / "params.yaml"
        # enough to tell the two photographs of the page apart, and to doubt some heights
        text = re.sub(r"^( {4}epochs: )\d\d$", r"\g<1>12", file.read_text("utf-8"), flags=re.MULTILINE)
        # of fine-tuning
        text = re.sub(r"^( {6}epochs: )\d$", r"\g<1>1", text, flags=re.MULTILINE)
        file.write_text(text, "utf-8")
    return done.returncode, done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if read_steps(page)])
def test_commands_print_what_stands_there(page: str, trained: Project, tmp_path: Path) -> None:
    project = trained.copy(tmp_path / "project")
    (project.root / ".venv").symlink_to(sys.prefix)
    for lock in project.root.glob("requirements*.lock"):
        # older than .venv, which is up to date
        os.utime(lock, (0, 0))
    os.utime(project.root / "pyproject.toml", (0, 0))
    for step in read_steps(page):
        status, printed = run(project, step.command)
        shown = "\n".join(printed)
        wanted = step.output or []
        assert bool(status) == any("error:" in line for line in wanted), f"$ {step.command}\n{shown}"
        if wanted:
            mismatch = find_mismatch(wanted, printed)
            assert mismatch is None, f"$ {step.command}\n{mismatch}\n\nall of it:\n{shown}"


def test_a_mismatch_is_found() -> None:
    assert find_mismatch(["5 pictures", "...", "next: x"], ["7 pictures", "a", "b", "next: x"]) is None
    assert "wanted: # files" in (find_mismatch(["5 files"], ["5 pictures"]) or "")
    assert "printed too" in (find_mismatch(["5 files"], ["5 files", "error: y"]) or "")
    assert "wanted: next: x" in (find_mismatch(["5 files", "next: x"], ["5 files", "a", "next: x"]) or "")


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_show_the_same(page: str) -> None:
    english, korean = ((ROOT / f"{page}{language}.md").read_text("utf-8") for language in ("", ".ko"))

    def blocks(text: str) -> list[tuple[str, str]]:
        return [(language, content) for language, content in FENCE.findall(text) if language != "mermaid"]

    assert blocks(korean) == blocks(english)
    headings = [re.findall(r"^(#+) ", FENCE.sub("", text), re.MULTILINE) for text in (english, korean)]
    assert headings[0] == headings[1]


@pytest.mark.parametrize("file", sorted([*ROOT.glob("*.md"), *ROOT.glob("*/*.md")]), ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", file.read_text("utf-8")))
    for link in links:
        path, _, anchor = link.partition("#")
        if path.startswith(("http:", "https:")):
            continue
        target = (file.parent / path) if path else file
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, link


def test_what_is_printed_names_a_section_that_is_there() -> None:
    file, _, anchor = WHERE_TO_LOOK.partition("#")
    korean = read_yaml(ROOT / "image_recipes/report/templates/korean.yaml")["page"]
    (text,) = (text for text in korean.values() if "docs/judging" in text)
    page, heading = re.findall(r"(docs/[\w.]+md).*“(.*)”", text)[0]

    assert f"\n## {anchor.replace('-', ' ').capitalize()}\n" in (ROOT / file).read_text("utf-8")
    assert f"\n## {heading}\n" in (ROOT / page).read_text("utf-8")


@pytest.mark.parametrize("language", ["", ".ko"])
def test_each_cause_that_training_names_has_a_row(language: str) -> None:
    page = (ROOT / f"docs/judging{language}.md").read_text("utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", page[page.index("coins_cnn") :], re.MULTILINE)

    assert len(tables[0].splitlines()) == 2 + len(CAUSES)


@pytest.mark.parametrize("language", ["", ".ko"])
def test_the_page_of_defaults_shows_what_was_measured(language: str) -> None:
    results = ROOT / "benchmarks/results/defaults.md"

    assert results.read_text("utf-8") in (ROOT / f"docs/defaults{language}.md").read_text("utf-8")


def test_the_readme_is_short() -> None:
    for name in ("README.md", "README.ko.md"):
        assert len((ROOT / name).read_text("utf-8").splitlines()) <= 150
