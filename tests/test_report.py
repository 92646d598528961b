"""The report: one page that needs nothing beside itself, as a browser shows it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, Project, load_yaml

from image_recipes import reporting
from image_recipes.charts import draw_calibration, draw_confusion, draw_curves, draw_errors, draw_residuals
from image_recipes.comparison import make_table
from image_recipes.datasets import DatasetInfo
from image_recipes.evaluation import break_down
from image_recipes.inspection import calibrate, find_worst
from image_recipes.pairs import compare_pairs
from image_recipes.predictions import tabulate_predictions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

NASTY = ["<img src=x onerror=alert(1)>", "\"double\" & 'single'", "</script><b>bold", "{{ 7 * 7 }}"]


def nasty_view() -> reporting.DatasetView:
    """A dataset whose classes have names that would be code if they were not shown as text."""
    rng = np.random.default_rng(0)
    real = rng.integers(0, 4, 80)
    predicted = rng.dirichlet(np.ones(4), 80).astype(np.float32)
    predictions = tabulate_predictions(np.arange(80), real, predicted, NASTY)
    info = DatasetInfo("classification", NASTY, None, [8, 8, 1], {}, "<i>origin</i>")
    scores: dict[str, float | None] = {"test_accuracy": 0.5, "test_accuracy_low": 0.4, "test_accuracy_high": 0.6}
    scores |= dict.fromkeys(["test_loss", "val_accuracy", "val_loss", "train_accuracy", "parameters"], 1.0)
    table = make_table("classification", {"net": scores}, {"linear": scores}, {})
    curves = {column: [1, 0.5] for column in ["loss", "val_loss", "accuracy", "val_accuracy"]}
    history = pd.DataFrame({"epoch": [1, 2], **curves})
    pairs = compare_pairs("classification", {"net": predictions, "linear": predictions}, [("net", "linear")], 0)
    worst = find_worst("classification", predictions, 3).to_dict("records")
    recipe = reporting.RecipeView(
        "net",
        {**scores, "parameters": 10},
        [
            reporting.Chart("net-confusion", draw_confusion(predictions, NASTY), "Confusion matrix", {}),
            reporting.Chart("net-calibration", draw_calibration(calibrate(predictions)), "Residuals", {}),
        ],
        break_down("classification", predictions, NASTY),
        [{"image": "data:,", **{str(key): value for key, value in row.items()}} for row in worst],
        "name: <script>alert(2)</script>",
        "a layer",
        "0" * 32,
    )
    charts = [
        reporting.Chart("d-errors", draw_errors("classification", table), "Confusion matrix", {}),
        reporting.Chart("d-loss", draw_curves("classification", {"net": history}, "loss"), "Loss over the epochs", {}),
    ]
    return reporting.DatasetView("d", info, 80, "1", table, "net", None, pairs.to_dict("records"), charts, [recipe])


def watch(browser: "Browser", page_file: Path, **options: object) -> tuple["Page", list[str]]:
    """Open a page from a file, and note what it asks for, complains of or pops up."""
    page = browser.new_context(locale="en-US", **options).new_page()  # type: ignore[arg-type]
    noted: list[str] = []

    def request(url: str) -> None:
        if not url.startswith(("file:", "data:")):
            noted.append(f"request: {url}")

    def dialog(shown: "Dialog") -> None:
        noted.append(f"dialog: {shown.message}")
        shown.dismiss()

    page.on("console", lambda message: noted.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: noted.append(f"error: {error}"))
    page.on("dialog", dialog)
    page.on("request", lambda asked: request(asked.url))
    page.goto(page_file.as_uri())
    page.wait_for_selector("html[data-ready]")
    return page, noted


def test_the_pipeline_writes_the_report(finished: Project) -> None:
    page = (finished.root / "plots/report.html").read_text("utf-8")

    assert len(page.encode()) < 5_000_000
    for text in ["tiny_class", "tiny_number", "baseline: linear", "make repro RECIPE=tiny_class", "conv2d (Conv2D)"]:
        assert text in page, text
    locked = load_yaml(finished.root / "dvc.lock")["stages"]
    for stage, path in [("train@tiny_class", "models/tiny_class.keras"), ("prepare@mnist", "data/prepared/mnist")]:
        (md5,) = [out["md5"] for out in locked[stage]["outs"] if out["path"] == path]
        assert md5 in page, path
    # nothing is fetched: all addresses are names of XML or lie in the libraries' own texts
    html = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)""", html) == []


@pytest.mark.slow
def test_the_command_writes_the_same_page(finished: Project, tmp_path: Path) -> None:
    finished.run("image-recipes", "report", "mnist", "dots", "--output", str(tmp_path / "page.html"))

    assert (tmp_path / "page.html").read_bytes() == (finished.root / "plots/report.html").read_bytes()
    assert "did you mean 'mnist'?" in finished.fails("image-recipes", "report", "mnst")


def test_names_are_shown_as_text() -> None:
    page = reporting.render([nasty_view()])

    html = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<img src=x" not in page
    assert "<i>origin" not in page
    assert "<script>alert" not in page
    assert "<b>bold" not in html
    assert "{{ 7 * 7 }}" in html


def test_every_text_of_the_page_has_its_korean() -> None:
    korean = load_yaml(ROOT / "image_recipes/templates/korean.yaml")
    template = (ROOT / "image_recipes/templates/report.html.jinja").read_text("utf-8")

    for text in re.findall(r'both\("([^"]+)"', template):
        assert text in korean["page"], text
    for english, other in (korean["page"] | korean["charts"]).items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", other)), english
        assert re.search("[가-힣]|MSE|MAE|F1", other), english


def test_curves_are_thinned_out_evenly_and_end_with_the_last_epoch() -> None:
    history = pd.DataFrame({"epoch": range(1, 1001), "loss": 1.0, "val_loss": 2.0})

    rows = draw_curves("regression", {"net": history}, "loss")["data"]["values"]
    spec_rows = [line.split(",") for line in rows.splitlines()[1:]]

    epochs = [int(row[0]) for row in spec_rows if row[3] == "validation"]
    assert len(epochs) == 250
    assert epochs[-1] == 1000
    assert set(np.diff(epochs)) == {4}


@pytest.mark.parametrize(("epochs", "ticks"), [(1, [1]), (3, [1, 2, 3]), (30, None)])
def test_few_epochs_are_marked_one_by_one(epochs: int, ticks: list[int] | None) -> None:
    history = pd.DataFrame({"epoch": range(1, epochs + 1), "loss": 1.0, "val_loss": 2.0})

    spec = draw_curves("regression", {"net": history}, "loss")

    assert spec["layer"][0]["encoding"]["x"]["axis"].get("values") == ticks


def test_a_chart_of_an_untrainable_network_is_drawn_too() -> None:
    predictions = pd.DataFrame({"index": [0, 1], "real": [1.0, 2.0], "predicted": [np.nan, np.inf]})

    assert draw_residuals(predictions, None)["layer"]


@pytest.mark.slow
def test_a_browser_shows_the_report(finished: Project, chromium: "Browser") -> None:
    page, noted = watch(chromium, finished.root / "plots/report.html", viewport={"width": 1200, "height": 900})

    assert page.locator("h2").all_inner_texts() == ["mnist", "dots"]
    assert page.get_by_text("Best on the validation pictures: tiny_class").is_visible()
    assert page.locator("#mnist-errors svg").is_visible()

    # what a point says when the mouse is over it
    page.locator("#tiny_class-confusion svg path").first.scroll_into_view_if_needed()
    page.locator("#tiny_class-confusion svg .mark-rect path").first.hover(position={"x": 5, "y": 5})
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert re.search(r"real\s+\d\s+predicted\s+\d\s+pictures\s+\d+", tooltip.inner_text())

    page.get_by_role("button", name="한국어").click()
    page.locator("#mnist-accuracy svg").get_by_text("에포크").first.wait_for()
    page.locator("#mnist-accuracy svg").get_by_text("검증").first.wait_for()
    assert page.get_by_text("검증 영상에서 가장 좋은 모델은 tiny_class입니다").is_visible()
    assert not page.get_by_text("Best on the validation pictures: tiny_class").is_visible()
    assert page.evaluate("document.documentElement.lang") == "ko"

    # by keyboard: a recipe that is closed opens, and then draws its charts
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert not page.locator("#tiny_class-confusion").is_visible()
    page.keyboard.press("Enter")
    assert page.locator("#tiny_class-confusion svg").is_visible()
    assert noted == []


@pytest.mark.slow
def test_the_report_fits_a_phone_and_a_sheet_of_paper(finished: Project, chromium: "Browser") -> None:
    page, noted = watch(chromium, finished.root / "plots/report.html", viewport={"width": 390, "height": 844})

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    # a closed recipe is open on paper, its charts drawn
    page.wait_for_selector("html[data-complete]")
    page.locator("summary").first.click()
    assert page.locator(".chart").count() == page.locator(".chart svg").count()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#tiny_class-confusion svg").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert not page.locator("#tiny_class-confusion svg").is_visible()
    # every picture and chart says what it is; no button or heading is empty
    assert page.locator("img:not([alt])").count() == 0
    assert page.locator(".chart:not([aria-label])").count() == 0
    assert noted == []


@pytest.mark.slow
def test_a_browser_runs_no_code_in_names(chromium: "Browser", tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(reporting.render([nasty_view()]), "utf-8")
    page, noted = watch(chromium, tmp_path / "report.html")

    page.locator("#net-confusion svg .mark-rect path").first.hover(position={"x": 5, "y": 5})
    page.locator("#vg-tooltip-element.visible").wait_for()
    assert page.locator("#vg-tooltip-element img").count() == 0
    assert page.get_by_text(NASTY[0]).count() > 0
    assert noted == []
