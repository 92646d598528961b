"""The report: one page that needs nothing beside itself, as a browser shows it."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from image_recipes.comparison import learning_curve
from image_recipes.comparison.by_task import COMPARISON
from image_recipes.comparison.pairs import compare_pairs
from image_recipes.comparison.sentences import Sentence
from image_recipes.comparison.table import make_table
from image_recipes.comparison.verdict import AS_GOOD, BETTER, NOTHING, NOTHING_BUT_COULD, WORSE, Outcome
from image_recipes.core.dataset import DatasetInfo
from image_recipes.core.params import read_params
from image_recipes.core.tasks import CLASSIFICATION, REGRESSION, TASKS, Task
from image_recipes.evaluation.by_task import EVALUATION
from image_recipes.evaluation.calibration import calibrate
from image_recipes.evaluation.measures import break_down_classes, rank_class_errors
from image_recipes.report import searches, seeds, trust
from image_recipes.report.by_task import REPORT
from image_recipes.report.charts import Chart, chart_calibration, chart_confusion, chart_errors, chart_histories
from image_recipes.report.dataset_view import (
    ERRORS_CAPTION,
    JUDGED_SUMMARY,
    SUMMARY,
    WHAT_NEXT,
    DatasetView,
    view_dataset,
)
from image_recipes.report.examples import (
    tell_class_error,
    tell_class_example,
)
from image_recipes.report.learning_curve import CAPTION, OTHER_INPUTS
from image_recipes.report.page import TEMPLATES, render
from image_recipes.report.recipe_view import RecipeView
from image_recipes.report.suspects import SPLIT_WORDS
from image_recipes.report.worst import Picture, WorstError, WorstErrors
from image_recipes.results.confusion import count_confusions
from image_recipes.results.heatmaps import WARM
from image_recipes.results.metrics import Metrics
from predictions import of_classes, of_numbers
from projects import Project, load_yaml
from recipes import class_info, number_info
from stages import compare

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

NASTY = ["<img src=x onerror=alert(1)>", "\"double\" & 'single'", "</script><b>bold", "{{ 7 * 7 }}"]

EXAMPLES = {
    CLASSIFICATION: (class_info((8, 8, 1), ["a", "b"]), of_classes([0, 1, 1], [[1, 0], [1, 0], [0, 1]], ["a", "b"])),
    REGRESSION: (number_info((8, 8, 1), "grams"), of_numbers([1, 2, 5], [1, 3, 4])),
}


def nasty_view() -> DatasetView:
    """A dataset whose classes have names that would be code if they were not shown as text."""
    rng = np.random.default_rng(0)
    predictions = of_classes(rng.integers(0, 4, 80).tolist(), rng.dirichlet(np.ones(4), 80), NASTY)
    info = DatasetInfo(CLASSIFICATION, NASTY, None, [8, 8, 1], {}, "<i>origin</i>")
    scores: dict[str, float | None] = {"test_accuracy": 0.5, "test_accuracy_low": 0.4, "test_accuracy_high": 0.6}
    scores |= dict.fromkeys(["test_loss", "val_accuracy", "val_loss", "train_accuracy", "parameters"], 1.0)
    table = make_table(CLASSIFICATION, {"net": scores}, {"linear": scores}, {})
    curves = {column: [1, 0.5] for column in ["loss", "val_loss", "accuracy", "val_accuracy"]}
    history = pd.DataFrame({"epoch": [1, 2], **curves})
    pairs = compare_pairs(CLASSIFICATION, {"net": predictions, "linear": predictions}, [("net", "linear")], 0)
    answering = Sentence(COMPARISON[CLASSIFICATION].baselines["majority"], {"answer": NASTY[0]})
    worst = [
        WorstError(
            0,
            row["real"],
            row["predicted"],
            Picture("data:,", NASTY[0], tell_class_error(row)),
            [Picture("data:,", NASTY[1], tell_class_example(row))],
        )
        for row in rank_class_errors(predictions).head(3).to_dict("records")
    ]
    recipe = RecipeView(
        name="net",
        metrics={**scores, "parameters": 10},
        charts=[
            Chart("net-confusion", chart_confusion(count_confusions(predictions, NASTY), NASTY), "Confusion matrix"),
            Chart("net-calibration", chart_calibration(calibrate(predictions)), "Residuals"),
        ],
        parts=break_down_classes(predictions, info),
        worst=WorstErrors(False, worst),
        params="name: <script>alert(2)</script>",
        summary="a layer",
        model_hash="0" * 32,
    )
    return DatasetView(
        name="d",
        info=info,
        texts=REPORT[CLASSIFICATION],
        introduction=Sentence("{n} test pictures; the number is in {unit}.", {"n": 80, "unit": "<u>unit</u>"}),
        summary=Sentence(
            JUDGED_SUMMARY,
            {
                "recipe": "net",
                "figure": "<u>figure</u>",
                "judgement": Sentence(NOTHING, {"rival": answering, "figure": "50.0 %"}),
            },
        ),
        next_step=Sentence(WHAT_NEXT),
        outcomes={"net": Outcome.NOTHING},
        data_hash="1",
        table=table,
        best="net",
        floor=None,
        pairs=pairs.to_dict("records"),
        charts=[
            Chart("d-errors", chart_errors(CLASSIFICATION, "test error (1 - accuracy)", table), "Confusion matrix"),
            Chart("d-loss", chart_histories({"net": history}, "loss", "loss"), "Loss over the epochs"),
        ],
        recipes=[recipe],
    )


def watch(browser: "Browser", page_file: Path, language: str = "en-US", **options: object) -> tuple["Page", list[str]]:
    """Open a page from a file, and note what it asks for, complains of or pops up."""
    page = browser.new_context(locale=language, **options).new_page()  # type: ignore[arg-type]
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


def test_names_are_shown_as_text() -> None:
    page = render([nasty_view()])

    html = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<img src=x" not in page
    assert "<i>origin" not in page
    assert "<u>unit" not in page
    assert "<u>figure" not in page
    assert "no better than always answering &lt;img src=x onerror=alert(1)&gt; (50.0 %)" in page
    assert "<script>alert" not in page
    assert "<b>bold" not in html
    assert "{{ 7 * 7 }}" in html


def test_of_many_classes_the_worst_are_listed_first() -> None:
    f1 = [0.5, np.nan, 0.25, *[1.0] * 30]
    parts = pd.DataFrame({"class": [f"kind {number}" for number in range(33)], "pictures": 1, "f1": f1})
    view = nasty_view()
    ordered = REPORT[CLASSIFICATION].order_parts(parts)

    page = render([view._replace(recipes=[view.recipes[0]._replace(parts=ordered)])])

    assert re.findall(r'<td class="name">(kind \d+)</td>', page)[:3] == ["kind 2", "kind 0", "kind 3"]
    assert "metrics/compare/breakdown/d.csv has them in their order" in page
    assert "has them in their order" not in render([view])


TRUST_TEXTS = (
    *(trust.SETS_HELD, trust.RANGES_HELD, trust.TOO_FEW, trust.STRANGE, trust.STRANGE_AND_MORE),
    *(trust.SET_NOTE, trust.LARGE_SET_NOTE, trust.NO_SET_NOTE, trust.RANGE_NOTE, trust.STRANGE_NOTE),
)

CURVE_TEXTS = (
    *(learning_curve.HELPS, learning_curve.EXTRAPOLATION, learning_curve.UNCLEAR, learning_curve.WORSE),
    *(learning_curve.NO_ERROR_LEFT, learning_curve.ONE_TRAINING, CAPTION, OTHER_INPUTS),
    *learning_curve.METRICS.values(),
)


def texts_of_page(task: Task) -> set[str]:
    """Collect what the page may say of a task, beside the template's own texts."""
    texts, info, predictions = REPORT[task], *EXAMPLES[task]
    figures = {f"test_{name}{end}": 1.0 for name in ["accuracy", "mse", "mae", "r2"] for end in ["", "_low", "_high"]}
    # such as of one picture, and of a network that has diverged
    fewer: list[Metrics] = [figures, {**figures, "test_r2_low": None}, {**figures, "test_mae": None}]
    floor = texts.floor({"best_possible": {"expected_mse": 1.0}})
    many = pd.concat([predictions] * 1_000)
    charts = [*texts.chart_predictions("net", predictions, info), *texts.chart_predictions("net", many, info)]
    if task is CLASSIFICATION:
        names = [str(number) for number in range(40)]
        charts += texts.chart_predictions("net", of_classes(range(40), np.eye(40), names), class_info((8, 8, 1), names))
    captions = [chart.caption for chart in charts]
    curves = [caption for caption, _ in texts.curves.values()]
    folds = ("folds", f"folds_{task.metric}", f"folds_{task.metric}_std")
    metrics = dict.fromkeys([*COMPARISON[task].table_columns, *folds], 1.0)
    linear = {**metrics, "fitted_features": 1, "all_features": 2}
    compared = make_table(task, {"net": metrics}, {"linear": linear}, {"net": metrics})
    columns = [*compared.columns, *EVALUATION[task].break_down(predictions, info).columns]
    return {
        texts.introduce(1, info).text,
        *(COMPARISON[task].tell_figure(some, 1, info).text for some in fewer),
        *COMPARISON[task].baselines.values(),
        *(BETTER, AS_GOOD, WORSE, NOTHING, NOTHING_BUT_COULD),
        *(task.worse_than_trivial for task in COMPARISON.values()),
        *(SUMMARY, JUDGED_SUMMARY, WHAT_NEXT),
        *([floor.text] if floor else []),
        texts.test_note,
        *(tell(row).text for row in predictions.to_dict("records") for tell in (texts.tell_error, texts.tell_example)),
        *(outcome.value for outcome in Outcome),
        texts.doubt_note,
        *TRUST_TEXTS,
        *CURVE_TEXTS,
        *(searches.TRIED, searches.BEST, searches.OTHER_INPUTS, searches.HISTORY, searches.SLICE, seeds.OTHER_INPUTS),
        WARM[task],
        *SPLIT_WORDS.values(),
        texts.parts_title,
        ERRORS_CAPTION,
        *captions,
        *curves,
        *(f"{caption} (some, at equal distances)" for caption in curves),
        *(column.replace("_", " ") for column in columns if not column.endswith(("_low", "_high", "_std"))),
    }


def titles_of_charts(spec: Any) -> set[str]:
    """Collect what a chart says, without units."""
    if isinstance(spec, list):
        return {title for part in spec for title in titles_of_charts(part)}
    if not isinstance(spec, dict):
        return set()
    title = spec.get("title")
    inside = {title for part in spec.values() for title in titles_of_charts(part)}
    return inside | {title} if isinstance(title, str) else inside


def test_every_text_of_the_page_has_its_korean_and_none_is_left_over() -> None:
    korean = load_yaml(TEMPLATES / "korean.yaml")["page"]
    template = "".join(file.read_text("utf-8") for file in sorted(TEMPLATES.glob("*.jinja")))

    used = set(re.findall(r'both\("([^"]+)"', template)).union(*map(texts_of_page, TASKS.values()))

    assert used == set(korean)
    for english, other in korean.items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", other)), english
        assert re.search("[가-힣]|MSE|MAE|F1", other), english


def test_every_title_of_a_chart_has_its_korean() -> None:
    korean = load_yaml(TEMPLATES / "korean.yaml")["charts"]

    for task in TASKS.values():
        texts, info, predictions = REPORT[task], *EXAMPLES[task]
        history = pd.DataFrame({"epoch": [1], **{f"{on}{name}": [1.0] for name in texts.curves for on in ["", "val_"]}})
        figures = {f"test_{task.metric}{end}": 0.5 for end in ["", "_low", "_high"]}
        table = make_table(task, {"net": figures}, {"linear": figures}, {})
        specs = [
            chart_errors(task, texts.error_title, table),
            *(chart_histories({"net": history}, column, title) for column, (_, title) in texts.curves.items()),
            *(chart.spec for chart in texts.chart_predictions("net", predictions, info)),
        ]
        titles = titles_of_charts(specs)
        assert len(titles) > 5
        # the page looks for a title with its unit by what stands before it
        assert [title for title in titles if title not in korean and title.partition(" (")[0] not in korean] == []
    assert {"training", "validation"} <= korean.keys()
    for english, other in korean.items():
        assert re.search("[가-힣]", other), english


def test_a_network_that_has_diverged_is_on_the_page_too(playground: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(playground.root)
    file, metrics_file = Path("data/predictions/dots/tiny_number.csv"), Path("metrics/dots/tiny_number.json")
    pd.read_csv(file).assign(predicted=np.nan).to_csv(file, index=False)
    metrics = json.loads(metrics_file.read_text("utf-8"))
    metrics_file.write_text(json.dumps(dict.fromkeys(metrics) | {"parameters": 9}), "utf-8")
    compare.main("dots")

    (view,) = [view_dataset("dots", ["tiny_number"], read_params())]

    page = render([view])
    assert "off by an infinite amount over 30 test pictures, since training has diverged, worse than always" in page
    assert "학습이 발산하여 시험 영상 30장에서 한없이 빗나갑니다. 항상 답이 평균인 예측(R² " in page
    assert "What to look at next: docs/judging.md" in page
    assert "9 parameters" in page
    assert "off by nan" in page
    assert 'class="example"' in page


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
    (tmp_path / "report.html").write_text(render([nasty_view()]), "utf-8")
    page, noted = watch(chromium, tmp_path / "report.html")

    page.locator("#net-confusion svg .mark-rect path").first.hover(position={"x": 5, "y": 5})
    page.locator("#vg-tooltip-element.visible").wait_for()
    assert page.locator("#vg-tooltip-element img").count() == 0
    assert page.get_by_text(NASTY[0]).count() > 0
    assert noted == []


# what JavaScript finds in every object, what it converts, and what an expression or a table of texts takes for its own
KNOWN_TO_JAVASCRIPT = [
    *("constructor", "toString", "valueOf", "hasOwnProperty", "__proto__", "prototype", "length"),
    *("null", "undefined", "NaN", "true", "1", "01", "1e3", "2020-01-01"),
    *("a,b", '"', "\\u0041", "datum.value", "names[0]", "=1+1", "</script>"),
]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en-US", "ko-KR"])
def test_names_that_javascript_knows_are_names(language: str, chromium: "Browser", tmp_path: Path) -> None:
    names = KNOWN_TO_JAVASCRIPT
    predictions = of_classes(range(len(names)), np.eye(len(names)), names)
    recipes = [name for name in names if name.isidentifier()]
    history = pd.DataFrame({"epoch": [1, 2], "loss": [1, 0.5], "val_loss": [1, 0.6]})
    figures = {f"test_accuracy{end}": 0.5 for end in ["", "_low", "_high"]} | {"parameters": 1.0}
    table = make_table(CLASSIFICATION, dict.fromkeys(recipes, figures), {"linear": figures}, {})
    view = nasty_view()
    specs = {
        "confusion": chart_confusion(count_confusions(predictions, names), names),
        "loss": chart_histories(dict.fromkeys(recipes, history), "loss", "loss"),
        "errors": chart_errors(CLASSIFICATION, "test error (1 - accuracy)", table),
    }
    charts = [Chart(f"net-{name}", spec, "Confusion matrix") for name, spec in specs.items()]
    (tmp_path / "report.html").write_text(render([view._replace(recipes=[view.recipes[0]._replace(charts=charts)])]))

    page, noted = watch(chromium, tmp_path / "report.html", language)

    shown = {name: page.locator(f"#net-{name} svg text").all_text_contents() for name in specs}
    assert [name for name in names if shown["confusion"].count(name) < 2] == []
    assert [name for name in recipes if name not in shown["loss"] or name not in shown["errors"]] == []
    assert ("검증" if language == "ko-KR" else "validation") in shown["loss"]
    cells = page.locator("#net-confusion svg .mark-rect path")
    said = cells.evaluate_all("cells => cells.map(cell => cell.getAttribute('aria-label'))")
    assert sorted(said) == sorted(f"{name} → {name}: 1" for name in names)
    cells.first.hover(position={"x": 2, "y": 2})
    page.locator("#vg-tooltip-element.visible").get_by_text(names[0]).first.wait_for()
    assert noted == []


@pytest.mark.slow
def test_a_chart_that_cannot_be_drawn_leaves_the_others(chromium: "Browser", tmp_path: Path) -> None:
    view = nasty_view()
    broken = Chart("net-broken", {"mark": "no such mark", "data": {"values": []}}, "Residuals")
    (recipe,) = view.recipes
    view = view._replace(charts=[broken, *view.charts], recipes=[recipe])
    (tmp_path / "report.html").write_text(render([view]), "utf-8")

    page, noted = watch(chromium, tmp_path / "report.html")
    page.wait_for_selector("html[data-complete]")

    assert page.locator("#net-broken").inner_text() == "This chart could not be drawn. The tables have its figures."
    for chart in ["d-errors", "d-loss", "net-confusion", "net-calibration"]:
        assert page.locator(f"#{chart} svg").count() == 1, chart
    assert [note for note in noted if "net-broken" not in note and "no such mark" not in note] == []


def long_view() -> DatasetView:
    """A dataset whose recipes and files have long names."""
    view, name, other = nasty_view(), "leaves_with_a_rather_long_name_of_a_recipe", "another_recipe_whose_name_is_long"
    metrics = {**view.recipes[0].metrics, "test_accuracy_low": 0.4, "test_accuracy_high": 0.6}
    table = make_table(CLASSIFICATION, {name: metrics, other: metrics}, {"linear": metrics}, {})
    curves = {column: [1, 0.5] for column in ["loss", "val_loss", "accuracy", "val_accuracy"]}
    histories = dict.fromkeys([name, other], pd.DataFrame({"epoch": [1, 2], **curves}))
    path = "떡갈나무/가을에_찍은_아주_긴_파일_이름_" + "x" * 80 + ".jpg"
    row = of_classes([0], [[0.1, 0.9, 0, 0]], NASTY).to_dict("records")[0]
    picture = Picture("data:,", path, tell_class_error(row))
    recipe = view.recipes[0]._replace(
        worst=WorstErrors(False, [WorstError(0, row["real"], row["predicted"], picture, [picture, picture])])
    )
    return view._replace(
        table=table,
        best=name,
        outcomes=dict.fromkeys([name, other], Outcome.BETTER),
        charts=[view.charts[0], Chart("d-loss", chart_histories(histories, "loss", "loss"), "Loss over the epochs")],
        recipes=[recipe._replace(name=name)],
    )


def test_the_page_says_how_to_find_each_worst_error() -> None:
    page = render([long_view()])

    assert page.count("x" * 80 + ".jpg</code>") == 3
    assert "real &lt;img src=x onerror=alert(1)&gt; (10\u00a0%), predicted" in page


@pytest.mark.slow
@pytest.mark.parametrize("language", ["English", "한국어"])
def test_a_phone_shows_accuracy_and_verdict_first(language: str, chromium: "Browser", tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render([long_view()]), "utf-8")
    page, noted = watch(chromium, tmp_path / "report.html", viewport={"width": 390, "height": 844})
    page.get_by_role("button", name=language).click()
    page.wait_for_selector("html[data-complete]")

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    # nothing stands far below the header
    heading, line = page.locator("h1").bounding_box(), page.locator("h2").bounding_box()
    assert heading is not None
    assert line is not None
    assert line["y"] - heading["y"] - heading["height"] < 100
    for cell in page.locator(".recipes tbody tr:first-child td").all()[:3]:
        box = cell.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390 - 16
        assert box["y"] + box["height"] <= 844
    # charts are no wider than their places, their legends too
    for chart in page.locator(".chart svg").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    assert noted == []


@pytest.mark.slow
def test_a_table_that_goes_on_says_so_until_its_end(chromium: "Browser", tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render([long_view()]), "utf-8")
    page, _ = watch(chromium, tmp_path / "report.html", viewport={"width": 390, "height": 844})
    table = page.locator(".scroll:has(.recipes)")

    table.locator("xpath=following-sibling::p[1]").get_by_text("More to the right").wait_for()
    assert "more" in (table.get_attribute("class") or "")
    table.evaluate("element => element.scrollTo({left: 9999})")
    page.wait_for_selector(".scroll:not(.more):has(.recipes)")
    # one that is whole says nothing
    assert page.locator(".scroll:has(.words) + .hint").count() == 0
