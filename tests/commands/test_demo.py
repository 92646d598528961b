"""`image-recipes demo`, driven in a real browser."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from calling import call_fails
from image_recipes.models.saving import load_model
from projects import Project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def address(finished: Project) -> Iterator[str]:
    """The address of a running demo of the tiny project."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("image-recipes")), "demo", "tiny_class", "--port", str(port)]
    process = subprocess.Popen(command, cwd=finished.root, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == f"http://127.0.0.1:{port} (stop by Ctrl-C)\n"
    yield line.split()[0]
    assert process.poll() is None, "the server has stopped"
    process.terminate()
    process.wait()
    process.stdout.close()


def open_page(browser: "Browser", address: str) -> tuple["Page", list[str]]:
    """Open the page, and note what it asks for elsewhere, and its errors."""
    page = browser.new_page()
    noted: list[str] = []
    page.on("pageerror", lambda error: noted.append(f"error: {error}"))

    def request(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            noted.append(url)

    page.on("request", lambda asked: request(asked.url))
    page.goto(address)
    page.get_by_text("draw here").wait_for()
    return page, noted


@pytest.mark.slow
def test_pictures_are_dropped_and_answered(
    address: str, chromium: "Browser", finished: Project, tmp_path: Path
) -> None:
    images = np.load(finished.root / "data/prepared/mnist/images.npy", mmap_mode="r")
    Image.fromarray(images[3, ..., 0]).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    expected = finished.run("image-recipes", "predict", "tiny_class", str(tmp_path / "good.png")).stdout
    name, chance = expected.splitlines()[1].split(",")[1:]
    page, noted = open_page(chromium, address)

    page.set_input_files("input[type=file][multiple]", [tmp_path / "good.png", tmp_path / "bad.png"])
    page.get_by_role("gridcell", name="not a picture").first.wait_for()
    cells = page.get_by_role("gridcell").all_inner_texts()
    assert [cell.strip() for cell in cells[:4]] == ["good.png", name, chance, ""]
    assert cells[4].strip() == "bad.png"

    # another recipe: a number, with its unit
    page.get_by_label("recipe").click()
    page.get_by_role("option", name="tiny_number").click()
    page.get_by_text("Takes 8x8 pixels in grey, and returns: number in throws.").wait_for()
    page.set_input_files("input[type=file][multiple]", [tmp_path / "good.png"])
    page.get_by_role("gridcell", name="throws").first.wait_for()
    assert noted == []


@pytest.mark.slow
def test_what_is_drawn_reaches_the_model_as_white_on_black(finished: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from image_recipes.commands.demo_page import predict_drawing

    monkeypatch.chdir(finished.root)
    # as Gradio gives it: the background is opaque, the layer is clear except the ink
    layer, background = np.zeros((280, 280, 4), np.uint8), np.full((280, 280, 4), 255, np.uint8)
    assert predict_drawing("tiny_class", {"layers": [layer], "composite": background}) is None
    layer[60:220, 120:160, 3] = 255
    drawn = np.zeros((1, 28, 28, 1), np.uint8)
    drawn[:, 6:22, 12:16] = 255

    answer = predict_drawing("tiny_class", {"layers": [layer], "composite": background})

    expected = load_model(finished.root / "models/tiny_class.keras").predict_on_batch(drawn)[0]
    assert list(answer.values()) == pytest.approx(expected.tolist(), abs=1e-6)


@pytest.mark.slow
def test_a_drawing_is_answered(address: str, chromium: "Browser") -> None:
    page, noted = open_page(chromium, address)

    page.get_by_role("button", name="Brush").click()
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.75, steps=10)
    page.mouse.up()

    page.get_by_text(re.compile(r"^\d+%$")).first.wait_for()
    assert noted == []


@pytest.mark.slow
def test_a_huge_file_is_refused_and_the_server_stays(address: str, chromium: "Browser", tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(bytes(21_000_000))
    Image.new("L", (28, 28)).save(tmp_path / "small.png")
    page, _ = open_page(chromium, address)

    page.set_input_files("input[type=file][multiple]", [tmp_path / "huge.png"])
    page.get_by_text(re.compile("maximum allowed size|exceeds|too large", re.IGNORECASE)).first.wait_for()
    page.reload()
    page.get_by_text("draw here").wait_for()
    page.set_input_files("input[type=file][multiple]", [tmp_path / "small.png"])
    page.get_by_role("gridcell", name="small.png").first.wait_for()


@pytest.mark.slow
def test_a_port_in_use_is_named(address: str, finished: Project) -> None:
    port = address.rpartition(":")[2]

    output = finished.fails("image-recipes", "demo", "tiny_class", "--port", port)

    assert f"error: port {port} is in use, or not yours to use: take another by --port" in output


def test_a_recipe_that_is_not_trained_is_named(in_bare_project: Project) -> None:
    assert "no recipe is trained yet" in call_fails("demo")
    assert "train it by `make repro RECIPE=tiny_class`" in call_fails("demo", "tiny_class")
    assert "did you mean 'tiny_class'?" in call_fails("demo", "tiny_clas")
