"""`image-recipes demo`, driven in a real browser."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from calling import call_fails
from pictures import noise
from projects import Project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PHONE = {"width": 390, "height": 800}
COUNT_REQUESTS = """
navigator.mediaDevices.asked = 0;
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = wanted => { navigator.mediaDevices.asked += 1; return ask(wanted); };
"""


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


@contextmanager
def open_page(context: "BrowserContext", address: str) -> "Iterator[Page]":
    """Open the page; when it has been used, it must have asked for nothing elsewhere, and met no error."""
    page = context.new_page()
    noted: list[str] = []
    page.on("pageerror", lambda error: noted.append(f"error: {error}"))

    def request(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            noted.append(url)

    page.on("request", lambda asked: request(asked.url))
    page.goto(address)
    page.locator("input[type=file][multiple]").wait_for(state="attached")
    yield page
    assert noted == []
    context.close()


def drop(page: "Page", *files: Path) -> list[list[str]]:
    """Drop pictures, and return the lines that the page says of each."""
    page.set_input_files("input[type=file][multiple]", files)
    cards = page.locator(".block.answers li:has(.file)")
    cards.nth(len(files) - 1).wait_for()
    return [[line for line in text.splitlines() if line] for text in cards.all_inner_texts()]


def fits(page: "Page") -> bool:
    """Tell whether nothing is wider than the screen."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_pictures_are_answered_beside_thumbnails(
    address: str, chromium: "Browser", finished: Project, tmp_path: Path
) -> None:
    images = np.load(finished.root / "data/prepared/mnist/images.npy", mmap_mode="r")
    # signs that HTML, templates and paths know
    name = "a <b>{{1}} & ${2}_(1).png"
    Image.fromarray(images[3, ..., 0]).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    expected = finished.run("image-recipes", "predict", "tiny_class", str(tmp_path / name)).stdout
    answer, chance = expected.splitlines()[1].split(",")[1:3]

    with open_page(chromium.new_context(), address) as page:
        good, bad = drop(page, tmp_path / name, tmp_path / "bad.png")
        assert good[:3] == [name, answer, answer]
        assert float(good[3].removesuffix(" %")) == pytest.approx(100 * float(chance), abs=0.11)
        assert bad[1:3] == ["bad.png", bad[2]]
        assert bad[2].startswith("not a picture, or of a kind that cannot be read")
        assert page.locator(".block.answers img").evaluate_all("all => all.map(one => one.naturalWidth)") == [28]

        # another recipe answers the same pictures: a number, with its unit
        page.get_by_label("recipe").click()
        page.get_by_role("option", name="tiny_number").click()
        page.get_by_text("Takes 8x8 pixels in grey, and returns: number in throws.").wait_for()
        page.locator(".block.answers .large").filter(has_text="throws").wait_for()
        assert page.locator(".block.answers .file").all_inner_texts() == [name, "bad.png"]


@pytest.mark.slow
def test_many_pictures_on_a_narrow_screen_in_korean(address: str, chromium: "Browser", tmp_path: Path) -> None:
    files = [tmp_path / f"IMG_{'a' * number}_{number:04}.jpg" for number in range(50)]
    for number, file in enumerate(files):
        noise(number, (400, 300)).save(file)
    (tmp_path / "empty.png").touch()

    with open_page(chromium.new_context(locale="ko-KR", viewport=PHONE, has_touch=True), address) as page:
        cards = drop(page, *files, tmp_path / "empty.png")
        assert [card[0] for card in cards[:50]] == [file.name for file in files]
        assert cards[50][1:] == ["empty.png", "빈 파일입니다"]
        page.get_by_text("받는 것: 28x28 픽셀의 흑백 영상. 내는 것: 클래스 10개의 확률.").wait_for()
        for label in ("레시피", "사진 파일", "카메라", "여기에 크게 그리십시오"):
            page.get_by_text(label, exact=True).first.wait_for()
        assert fits(page)


@pytest.mark.slow
def test_a_drawing_is_answered_as_a_file_of_it_is(
    address: str, chromium: "Browser", finished: Project, tmp_path: Path
) -> None:
    with open_page(chromium.new_context(viewport=PHONE, has_touch=True), address) as page:
        pad = page.locator(".pad canvas")
        place = pad.bounding_box()
        assert place is not None
        middle = place["x"] + place["width"] / 2
        finger = page.context.new_cdp_session(page)
        for kind, share in [("touchStart", 0.25), ("touchMove", 0.5), ("touchMove", 0.75), ("touchEnd", None)]:
            points = [] if share is None else [{"x": middle, "y": place["y"] + share * place["height"]}]
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.locator(".block.answers .large").wait_for()
        answer, chance = page.locator(".block.answers .chance").first.inner_text().split("\n")

        # white on black, upright, in the middle
        drawn = np.zeros((28, 28), np.uint8)
        drawn[7:21, 13:15] = 255
        seen = np.array(pad.evaluate("pad => [...pad.getContext('2d').getImageData(0, 0, 280, 280).data]"))
        small = seen.reshape(28, 10, 28, 10, 4)[..., 0].mean((1, 3))
        assert np.corrcoef(small.ravel(), drawn.ravel())[0, 1] > 0.9
        Image.fromarray(seen.reshape(280, 280, 4)[..., 0].astype(np.uint8)).save(tmp_path / "drawn.png")
        expected = finished.run("image-recipes", "predict", "tiny_class", str(tmp_path / "drawn.png")).stdout
        wanted, probability = expected.splitlines()[1].split(",")[1:3]
        assert [answer, chance] == [wanted, f"{100 * float(probability):.1f} %"]

        page.get_by_role("button", name="clear").click()
        page.locator(".block.answers .large").wait_for(state="detached")
        assert fits(page)


@pytest.mark.slow
@pytest.mark.parametrize("allowed", [True, False])
def test_a_picture_is_taken_by_the_camera_once_it_is_wanted(address: str, chromium: "Browser", allowed: bool) -> None:
    arguments = ["--no-sandbox", "--use-fake-device-for-media-stream"]
    arguments += ["--use-fake-ui-for-media-stream"] * allowed
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=arguments)
    context = browser.new_context(viewport=PHONE)
    context.add_init_script(COUNT_REQUESTS)
    with open_page(context, address) as page:
        start = page.get_by_role("button", name="use the camera")
        start.wait_for()
        assert page.evaluate("navigator.mediaDevices.asked") == 0
        start.click()
        if allowed:
            page.wait_for_function("document.querySelector('.camera video').videoWidth > 0")
            page.get_by_role("button", name="take a picture").click()
            page.locator(".block.answers .file", has_text="camera.png").wait_for()
            page.locator(".block.answers .large").wait_for()
            page.get_by_role("button", name="stop the camera").click()
        else:
            page.get_by_text("The browser gives no camera").wait_for()
        start.wait_for()
        assert fits(page)
    browser.close()


@pytest.mark.slow
def test_where_there_is_no_camera_the_page_says_so(address: str, chromium: "Browser") -> None:
    with open_page(chromium.new_context(), address) as page:
        page.get_by_text("No camera was found here.").wait_for()
        # shown until the page's styles are there
        page.get_by_role("button", name="use the camera", include_hidden=True).wait_for(state="hidden")


@pytest.mark.slow
def test_a_huge_file_is_refused_and_the_server_stays(address: str, chromium: "Browser", tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(bytes(21_000_000))
    Image.new("L", (28, 28)).save(tmp_path / "small.png")

    with open_page(chromium.new_context(), address) as page:
        page.set_input_files("input[type=file][multiple]", [tmp_path / "huge.png"])
        page.get_by_text(re.compile("maximum allowed size|exceeds|too large", re.IGNORECASE)).first.wait_for()
        page.reload()
        page.locator("input[type=file][multiple]").wait_for(state="attached")
        assert drop(page, tmp_path / "small.png")[0][0] == "small.png"


@pytest.mark.slow
def test_an_answer_says_how_sure_it_is(finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from image_recipes.commands.demo_answers import answer_files, describe, open_recipe

    monkeypatch.chdir(finished.root)
    # a digit, and what no digit looks like
    images = np.load("data/prepared/mnist/images.npy", mmap_mode="r")
    Image.fromarray(images[3, ..., 0]).save(tmp_path / "digit.png")
    Image.fromarray(255 - images[3, ..., 0]).save(tmp_path / "strange.png")
    said = finished.run("image-recipes", "predict", "tiny_class", "--format", "jsonl", str(tmp_path)).stdout
    rows = [json.loads(line) for line in said.splitlines()]
    assert [row["unfamiliar"] for row in rows] == [False, True]

    for row in rows:
        answer = answer_files("tiny_class", [Path(row["path"])], ["one.png"])
        shown = re.sub("<[^>]*>", "", answer)
        names = ", ".join(row["prediction_set"][:3])
        assert f"prediction set예측 집합: {names or 'empty: no class'}" in shown
        assert ("unfamiliar학습 영상과 다름" in shown) == row["unfamiliar"]
    assert "The prediction set holds the true class of 90% of new pictures." in describe(open_recipe("tiny_class"))


def test_a_model_that_is_gone_is_named_on_the_page(in_bare_project: Project) -> None:
    from image_recipes.commands.demo_answers import answer_files

    answer = answer_files("gone", [], [])

    assert "models/gone.keras: not found: get it back by `dvc checkout" in answer
    assert "models/gone.keras 파일이 없습니다" in answer


@pytest.mark.slow
def test_a_port_in_use_is_named(address: str, finished: Project) -> None:
    port = address.rpartition(":")[2]

    output = finished.fails("image-recipes", "demo", "tiny_class", "--port", port)

    assert f"error: port {port} is in use, or not yours to use: take another by --port" in output


def test_a_recipe_that_is_not_trained_is_named(in_bare_project: Project) -> None:
    assert "no recipe is trained yet" in call_fails("demo")
    assert "train it by `make repro RECIPE=tiny_class`" in call_fails("demo", "tiny_class")
    assert "did you mean 'tiny_class'?" in call_fails("demo", "tiny_clas")
