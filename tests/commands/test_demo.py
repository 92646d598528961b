"""`image-recipes demo`, driven in a real browser."""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

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


@contextmanager
def running_demo(project: Project, folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a demo whose temporary files lie in a folder; give its address and process, which may have ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("image-recipes")), "demo", "tiny_class", "--port", str(port)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert re.fullmatch(rf"http://127.0.0.1:{port}/[\w-]{{20,}}/ \(stop by Ctrl-C\)\n", line)
        yield line.split()[0], process
        process.terminate()


@pytest.fixture(scope="module")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the demo has its own for temporary files."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def address(finished: Project, uploads: Path) -> Iterator[str]:
    """The address of a running demo of the tiny project."""
    with running_demo(finished, uploads) as (address, process):
        yield address
        assert process.poll() is None, "the server has stopped"


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


def encode(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


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


def ask(address: str, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, str]:
    """Ask the demo's port for a path, and return the status and text of its answer."""
    connection = HTTPConnection("127.0.0.1", urlsplit(address).port or 0, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def upload(address: str, content: bytes) -> tuple[int, str]:
    """Upload a file as the page does."""
    part = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    path = urlsplit(address).path + "gradio_api/upload"
    return ask(
        address, path, "POST", part + content + b"\r\n--cut--\r\n", Content_Type="multipart/form-data; boundary=cut"
    )


def answer_of(address: str, *values: Any) -> str:
    """Ask for answers as the page does, and return what comes back."""
    call = urlsplit(address).path + "gradio_api/call/_answer_pictures"
    _, begun = ask(address, call, "POST", json.dumps({"data": values}).encode(), Content_Type="application/json")
    return ask(address, f"{call}/{json.loads(begun)['event_id']}")[1]


@pytest.mark.slow
def test_only_the_demo_s_own_page_is_answered(address: str) -> None:
    parts = urlsplit(address)

    assert ask(address, parts.path)[0] == 200
    assert ask(address, parts.path, Origin=f"http://127.0.0.1:{parts.port}")[0] == 200
    assert ask(address, parts.path, Host=f"localhost:{parts.port}")[0] == 200
    for path in ["/", "/config", "/gradio_api/info", "/" + "a" * 22 + "/", "//" + parts.path, "/%ff/"]:
        status, text = ask(address, path)
        assert (status, "the token is missing" in text) == (403, True), path
    for host in ["evil.example", f"evil.example:{parts.port}", "127.0.0.1", f"127.0.0.1.nip.io:{parts.port}"]:
        assert ask(address, parts.path, Host=host)[0] == 403, host
    for origin in ["https://evil.example", "null", f"https://127.0.0.1:{parts.port}", "http://127.0.0.1:1"]:
        for method in ["GET", "POST", "OPTIONS"]:
            assert ask(address, parts.path + "gradio_api/upload", method, Origin=origin)[0] == 403, origin


@pytest.mark.slow
def test_another_page_and_another_name_reach_nothing(address: str, chromium: "Browser", uploads: Path) -> None:
    rules = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", rules])
    page = browser.new_page()
    before = sorted(uploads.rglob("*"))
    # a name that its owner lets point here
    assert page.goto(address.replace("127.0.0.1", "evil.example")).status == 403  # type: ignore[union-attr]
    page.goto("data:text/html,another page")
    page.evaluate(
        """async address => {
            const form = new FormData();
            form.append("files", new Blob(["x"]), "x.png");
            // the answer is none that a page may read, whatever it is
            const asked = {method: "POST", body: form, mode: "no-cors"};
            await fetch(address + "gradio_api/upload", asked).catch(() => null);
        }""",
        address,
    )
    browser.close()
    assert sorted(uploads.rglob("*")) == before


@pytest.mark.slow
def test_fifty_uploads_at_once_are_answered(address: str, uploads: Path) -> None:
    (folder,) = uploads.glob("image-recipes-demo-*")
    assert folder.stat().st_mode & 0o077 == 0

    def try_one(number: int) -> str:
        (path,) = json.loads(upload(address, encode(noise(number, (400, 300))))[1])
        assert Path(path).is_relative_to(folder)
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        return answer_of(address, "tiny_class", [file], None, [f"{number}.png"])

    with ThreadPoolExecutor(50) as pool:
        answers = [*pool.map(try_one, range(50))]

    assert [number for number, answer in enumerate(answers) if "large" not in answer] == []


@pytest.mark.slow
def test_a_file_that_was_not_uploaded_is_not_opened(address: str, tmp_path: Path) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "private.png")
    for path in [str(tmp_path / "private.png"), "/etc/passwd"]:
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}

        assert "event: error" in answer_of(address, "tiny_class", [file], None, ["a.png"])
        assert ask(address, f"{urlsplit(address).path}gradio_api/file={path}")[0] == 403


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 0)])
def test_uploads_are_gone_when_the_demo_has_stopped(
    number: signal.Signals, status: int, finished: Project, tmp_path: Path
) -> None:
    with running_demo(finished, tmp_path) as (address, process):
        assert upload(address, b"a picture")[0] == 200
        assert [*tmp_path.rglob("a.png")] != []
        process.send_signal(number)

        assert process.wait(60) == status
        assert [*tmp_path.glob("image-recipes-demo-*")] == []


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
    port = str(urlsplit(address).port)

    output = finished.fails("image-recipes", "demo", "tiny_class", "--port", port)

    assert f"error: port {port} is in use, or not yours to use: take another by --port" in output


def test_a_recipe_that_is_not_trained_is_named(in_bare_project: Project) -> None:
    assert "no recipe is trained yet" in call_fails("demo")
    assert "train it by `make repro RECIPE=tiny_class`" in call_fails("demo", "tiny_class")
    assert "did you mean 'tiny_class'?" in call_fails("demo", "tiny_clas")
