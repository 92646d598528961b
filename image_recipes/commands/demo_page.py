"""The page of `image-recipes demo`: draw, or drop pictures."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from image_recipes.commands.by_task import COMMANDS
from image_recipes.commands.predict import predict_files
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.errors import UserError
from image_recipes.models.backend import keras
from image_recipes.models.saving import load_model, load_model_info

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported
import gradio as gr

ADDRESS = "127.0.0.1"
MAX_FILE_SIZE = "20mb"
CLASSES_SHOWN = 5
CANVAS_SIDE = 320


def serve_page(recipes: list[str], port: int) -> None:
    """Serve the page until it is stopped by Ctrl-C.

    Args:
        recipes: trained ones, the first shown first.
        port: of 127.0.0.1.

    Raises:
        UserError: the port is in use.
    """
    page = make_page(recipes)
    try:
        page.launch(
            server_name=ADDRESS,
            server_port=port,
            share=False,
            max_file_size=MAX_FILE_SIZE,
            theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
            footer_links=[],
            ssr_mode=False,
            quiet=True,
            prevent_thread_lock=True,
        )
    except OSError:
        raise UserError(f"port {port} is in use, or not yours to use: take another by --port") from None
    print(f"http://{ADDRESS}:{port} (stop by Ctrl-C)", flush=True)
    page.block_thread()


def make_page(recipes: list[str]) -> gr.Blocks:
    """Lay out the page."""
    first = load_model_info(Path(f"models/{recipes[0]}.keras"))
    with gr.Blocks(title="Image recipes", analytics_enabled=False) as page:
        gr.Markdown("# Image recipes\nDraw, or drop pictures. All stays on this computer.")
        recipe = gr.Dropdown(recipes, value=recipes[0], label="recipe", interactive=True)
        about = gr.Markdown(_describe(first))
        with gr.Row(visible=_drawable(first)) as drawing:
            pad = gr.Sketchpad(
                label="draw here, large",
                type="numpy",
                # the editor places its canvas before the page has given it a width
                width=CANVAS_SIDE + 120,
                height=CANVAS_SIDE + 80,
                scale=0,
                min_width=CANVAS_SIDE + 120,
                canvas_size=(CANVAS_SIDE, CANVAS_SIDE),
                fixed_canvas=True,
                layers=False,
                transforms=(),
                brush=gr.Brush(default_size=11, colors=["#000000"], color_mode="fixed"),
            )
            answer = gr.Label(label="the model says", num_top_classes=CLASSES_SHOWN)
        files = gr.File(label="pictures", file_count="multiple")
        table = gr.Dataframe(
            label="the model says",
            headers=_headers(first),
            interactive=False,
            wrap=True,
            column_widths=["25%", "15%", "15%", "45%"],
        )

        recipe.change(_switch, recipe, [about, drawing, pad, answer, files, table])
        pad.change(predict_drawing, [recipe, pad], answer, show_progress="hidden")
        files.change(predict_uploads, [recipe, files], table)
    return page


def predict_drawing(recipe: str, sketch: dict[str, Any] | None) -> Any:
    """Predict what was drawn, as white ink on black, as handwritten digits have it.

    Args:
        recipe: a trained one.
        sketch: as Gradio's Sketchpad gives it; each of its `layers` is uint8 (H, W, 4), clear where
            nothing is drawn.

    Returns:
        What its Label shows: probabilities by class, or the number with its unit; None while
        nothing is drawn.
    """
    layers = sketch["layers"] if sketch else []
    if not any(layer[..., 3].any() for layer in layers):
        return None
    ink = np.max([layer[..., 3] for layer in layers], axis=0)
    model, info = _open(recipe)
    height, width, _ = info.image_shape
    picture = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BOX))
    output = model.predict_on_batch(picture[np.newaxis, ..., np.newaxis])[0]
    return COMMANDS[info.task].show_output(output, info)


def predict_uploads(recipe: str, paths: list[str] | None) -> pd.DataFrame:
    """Predict picture files; one that cannot be read has the reason in the column `problem`."""
    model, info = _open(recipe)
    unknown = [""] * len(COMMANDS[info.task].answer_columns)
    rows = [
        [prediction.file.name, *(prediction.answer or unknown), prediction.error or prediction.flaw]
        for prediction in predict_files(model, info, [Path(path) for path in paths or []])
    ]
    return pd.DataFrame(rows, columns=_headers(info))


def _switch(recipe: str) -> list[Any]:
    info = _open(recipe)[1]
    empty = pd.DataFrame(columns=_headers(info))
    return [_describe(info), gr.Row(visible=_drawable(info)), None, None, None, gr.Dataframe(empty)]


@cache
def _open(recipe: str) -> tuple[keras.Model, DatasetInfo]:
    file = Path(f"models/{recipe}.keras")
    try:
        return load_model(file), load_model_info(file)
    except UserError as error:
        # which the page shows
        raise gr.Error(str(error)) from None


def _headers(info: DatasetInfo) -> list[str]:
    return ["file", *COMMANDS[info.task].answer_columns, "problem"]


def _drawable(info: DatasetInfo) -> bool:
    return info.image_shape[2] == 1


def _describe(info: DatasetInfo) -> str:
    height, width, channels = info.image_shape
    colours = "grey" if channels == 1 else "colours"
    return f"Takes {width}x{height} pixels in {colours}, and returns: {COMMANDS[info.task].describe_output(info)}."
