"""The page of `image-recipes demo`: draw, drop pictures, or take one by the camera."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from image_recipes.commands.demo_answers import answer_files, describe, open_recipe, saved_picture
from image_recipes.commands.demo_texts import both, read_labels, read_template, render
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported
import gradio as gr

if TYPE_CHECKING:
    from fastapi import FastAPI

MAX_FILE_SIZE = "20mb"
LIST_HEIGHT = 200
FROM_CAMERA = "camera.png"
# a browser hands over files under names in which signs are replaced: these are the files' own
ADD_NAMES = "(recipe, files, camera, _) => [recipe, files, camera, (files || []).map(file => file.orig_name)]"


def mount_page(page: gr.Blocks, app: "FastAPI", path: str) -> "FastAPI":
    """Return an app of the page and all that it needs, below a path."""
    labels = read_labels()
    # as `launch` sets it: without, Gradio takes any file of this computer that a request names for an upload
    page.has_launched = page.is_running = True
    return gr.mount_gradio_app(
        app,
        page,
        path,
        max_file_size=MAX_FILE_SIZE,
        theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        css=read_template("page.css"),
        i18n=gr.I18n(en={label: label for label in labels}, ko=labels),
        footer_links=[],
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
    )


def make_page(recipes: list[str]) -> gr.Blocks:
    """Lay out the page."""
    first = open_recipe(recipes[0])
    label = gr.I18n()
    with gr.Blocks(title="Image recipes", analytics_enabled=False) as page:
        introduction = both("Drop pictures, or take one by the camera. All stays on this computer.")
        gr.HTML(Markup("<h1>Image recipes</h1><p>{}</p>").format(introduction))
        recipe = gr.Dropdown(recipes, value=recipes[0], label=label("recipe"), interactive=True)
        about = gr.HTML(describe(first))
        with gr.Row(visible=_is_drawable(first.info)) as drawing_row:
            pad = _make_part("pad", label("draw here, large"))
            drawn = gr.HTML(elem_classes="answers")
        with gr.Row():
            files = gr.File(label=label("pictures"), file_count="multiple", height=LIST_HEIGHT)
            camera = _make_part("camera", label("camera"))
        answers = gr.HTML(elem_classes="answers")
        names = gr.JSON(visible=False)

        recipe.change(_switch, recipe, [about, drawing_row])
        gr.on([recipe.change, pad.change], _answer_drawing, [recipe, pad], drawn, show_progress="hidden")
        pictures = [recipe, files, camera, names]
        gr.on([recipe.change, files.change, camera.change], _answer_pictures, pictures, answers, js=ADD_NAMES)
    return page


def _make_part(name: str, label: Any) -> gr.HTML:
    """Make a part of the page that Gradio lacks: its value is a picture as a data URI."""
    return gr.HTML(
        html_template=render(f"{name}.html.jinja"),
        js_on_load=read_template(f"{name}.js"),
        label=label,
        show_label=True,
        container=True,
        elem_classes=name,
    )


def _switch(recipe: str) -> list[Any]:
    try:
        predictor = open_recipe(recipe)
    except UserError as error:
        return [both(str(error)), gr.Row(visible=False)]
    return [describe(predictor), gr.Row(visible=_is_drawable(predictor.info))]


def _answer_drawing(recipe: str, drawing: str | None) -> str:
    with saved_picture(drawing) as files:
        return answer_files(recipe, files, [""] * len(files))


def _answer_pictures(recipe: str, paths: list[str] | None, shot: str | None, names: list[str]) -> str:
    with saved_picture(shot) as shots:
        files = [*shots, *map(Path, paths or [])]
        return answer_files(recipe, files, [*(FROM_CAMERA for _ in shots), *names])


def _is_drawable(info: DatasetInfo) -> bool:
    return info.image_shape[2] == 1
