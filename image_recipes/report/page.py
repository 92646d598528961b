"""The report: one page on all recipes, which needs nothing beside itself."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup, escape

from image_recipes.comparison.sentences import Sentence
from image_recipes.core.files import write_text
from image_recipes.core.params import read_params
from image_recipes.core.yaml_file import read_yaml
from image_recipes.report.dataset_view import DatasetView, view_dataset
from image_recipes.results.heatmaps import WARM
from image_recipes.results.names import MAX_NAMED_CLASSES, show_name
from image_recipes.results.tables import BASELINE, format_value

TEMPLATES = Path(__file__).parent / "templates"
VEGA_SCRIPT = "window.vegaEmbed = vegaEmbed;"


def write_report(recipes: Mapping[str, list[str]], file: Path) -> None:
    """Write the report as one HTML file, whole or not at all.

    Args:
        recipes: the names of all recipes of each dataset to show; the stage `compare` has run
            for it.
        file: the page to write.

    Raises:
        UserError: something is missing or damaged, with the stage that makes it.
    """
    params = read_params()
    write_text(render([view_dataset(name, names, params) for name, names in recipes.items()]), file)


def _breakable(name: str) -> Markup:
    """Let a recipe's name break where its words end."""
    return escape(name).replace("_", Markup("_<wbr>"))


def render(datasets: list[DatasetView]) -> str:
    """Render the page; all texts from data are escaped."""
    korean = read_yaml(TEMPLATES / "korean.yaml")

    def fill(text: str, values: Mapping[str, Any], translate: Callable[[str], str]) -> Markup:
        parts = {
            name: fill(value.text, value.values, translate) if isinstance(value, Sentence) else value
            for name, value in values.items()
        }
        return Markup(translate(text)).format(**parts)

    def both(text: str, **values: Any) -> Markup:
        # the page shows one of them
        return Markup('<span lang="en">{}</span><span lang="ko">{}</span>').format(
            fill(text, values, str), fill(text, values, lambda english: korean["page"][english])
        )

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"both": both, "breakable": _breakable, "format_value": format_value, "show_name": show_name}
    environment.globals |= {"BASELINE": BASELINE, "MAX_NAMED_CLASSES": MAX_NAMED_CLASSES, "WARM": WARM}
    page = environment.get_template("report.html.jinja")
    script = vl_convert.javascript_bundle(VEGA_SCRIPT).replace("</script", "<\\/script")
    return page.render(datasets=datasets, script=Markup(script), chart_translations=korean["charts"])
