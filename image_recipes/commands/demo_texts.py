"""The texts of the demo's page: English in the code, and their Korean in demo_templates/korean.yaml."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from image_recipes.core.yaml_file import read_yaml

TEMPLATES = Path(__file__).parent / "demo_templates"
HOLE = re.compile(r"\\\{(\w+)\\\}")


def both(english: str) -> Markup:
    """Return a text in both languages, escaped; the page shows the one of its reader.

    >>> both("class")
    Markup('<span lang="en">class</span><span lang="ko">클래스</span>')
    """
    return Markup('<span lang="en">{}</span><span lang="ko">{}</span>').format(english, translate(english))


def translate(english: str) -> str:
    """Return a text in Korean; one that nobody has translated, such as a library's message, stays as it is.

    >>> translate("larger than 256 MiB")
    '256 MiB보다 큽니다'
    """
    for pattern, korean in _load_patterns():
        if found := pattern.fullmatch(english):
            return korean.format(**{name: translate(part) for name, part in found.groupdict().items()})
    return english


def read_labels() -> dict[str, str]:
    """Return the labels of the page's parts, English to Korean."""
    return read_yaml(TEMPLATES / "korean.yaml")["labels"]


def read_template(name: str) -> str:
    """Return a file of the page's templates as it is."""
    return (TEMPLATES / name).read_text("utf-8")


def render(template: str, **values: Any) -> str:
    """Return HTML of a template; all values are escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"both": both, "breakable": _breakable}
    return environment.get_template(template).render(values)


def _breakable(name: str) -> Markup:
    """Let a file's name be wrapped behind what divides its words."""
    return Markup(re.sub(r"([_\-. ])", r"\1<wbr>", str(escape(name))))


@cache
def _load_patterns() -> list[tuple[re.Pattern[str], str]]:
    texts = read_yaml(TEMPLATES / "korean.yaml")["texts"]
    # {words in braces} stand for any text
    return [
        (re.compile(HOLE.sub(r"(?P<\1>.+)", re.escape(english)), re.DOTALL), korean)
        for english, korean in texts.items()
    ]
