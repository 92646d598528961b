"""Charts of the report: Vega-Lite specifications by Altair, drawn by the page that holds them.

Names that people gave, of classes and recipes, stand in a chart's data as numbers, and are written where it shows them:
Vega looks some values up in objects of JavaScript, where `constructor` and `toString` find something else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from image_recipes.core.tasks import Task
from image_recipes.results.curves import COLORS, choose_scale
from image_recipes.results.names import count_cells, fit_abreast, name_in_short
from image_recipes.results.searches import Tried, choose_ends
from image_recipes.results.tables import BASELINE

Spec = dict[str, Any]
# more make a page slow
MAX_POINTS = 2_000
MAX_EPOCHS = 250
MAX_TICKS = 10
# in pixels: of a class's name beside an axis, and of its row and column
LABEL_LIMIT = 220
CLASS_SIDE = 16
# of a recipe's name in a legend, at least and at most, and of one of its letters
LEGEND_LIMITS = (60, 240)
LETTER_WIDTH = 6
# of all classes' names below an axis of a narrow page, in cells
MAX_LEVEL = 24
# of the parameter of a chart that holds them, by number
NAMES = "names"
# of what a screen reader says of a mark
SPOKEN = "spoken:N"
Width = Literal["container"] | alt.Step


class Chart(NamedTuple):
    """A chart: the id of its place, its specification, and what is said above it, with values to fill in."""

    id: str
    spec: Spec
    caption: str
    values: Mapping[str, str] = {}


def chart_errors(task: Task, title: str, table: pd.DataFrame) -> Spec:
    """Chart the test error of recipes and baselines with its interval, beside what was published.

    Args:
        task: the dataset's.
        title: of the axis.
        table: as `comparison.table.make_table` makes it.
    """
    metric = f"test_{task.metric}"
    columns = {"error": metric, "from": f"{metric}_low", "to": f"{metric}_high", "published": f"published_{metric}"}
    names = table["recipe"].tolist()
    rows = pd.DataFrame({"recipe": range(len(names))})
    for name, column in columns.items():
        rows[name] = table[column].map(task.error).to_numpy() if column in table else np.nan
    # an error may have its ends the other way round
    rows["from"], rows["to"] = rows[["from", "to"]].min(axis=1), rows[["from", "to"]].max(axis=1)
    rows["kind"] = np.where(table["recipe"].str.startswith(BASELINE), "baseline", "recipe")
    logarithmic = (rows[["error", "from", "to"]].min() > 0).all()
    scale = alt.Scale(type="log", nice=False) if logarithmic else alt.Scale(zero=True)
    axis = alt.Axis(labelLimit=LABEL_LIMIT, labelExpr=_look_up("datum.value"))
    y = alt.Y("recipe:N", sort=None, scale=alt.Scale(domain=rows["recipe"].tolist()), title=None, axis=axis)
    tooltip = [
        alt.Tooltip("name:N", title="recipe"),
        *(alt.Tooltip(f"{name}:Q", title=name, format=".4~g") for name in columns),
    ]
    name = _look_up("datum.recipe")
    named = alt.Chart(_inline(rows)).transform_calculate(
        name=name, spoken=f"{name} + ': ' + format(datum.error, '.4~g')"
    )
    base = named.encode(y=y, tooltip=tooltip, description=SPOKEN)
    color = alt.Color("kind:N", title=None, legend=None, scale=alt.Scale(range=["#767676", "#1f5fa8"]))
    bars = base.mark_rule(strokeWidth=3, opacity=0.5).encode(
        x=alt.X("from:Q", scale=scale, title=title), x2="to:Q", color=color
    )
    points = base.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("error:Q", scale=scale), color=color)
    layers = [bars, points]
    if rows["published"].notna().any():
        published = base.transform_filter("isValid(datum.published)")
        layers.append(
            published.mark_point(shape="diamond", size=110, color="#b3261e", strokeWidth=2).encode(
                x=alt.X("published:Q", scale=scale)
            )
        )
    return _spec(alt.layer(*layers), 26 * len(rows) + 10, names=names)


def chart_histories(histories: Mapping[str, pd.DataFrame], column: str, title: str) -> Spec:
    """Chart a figure of all recipes over the epochs, on training and on validation pictures.

    Args:
        histories: by recipe, as `results.history.load_history` returns them.
        column: of the histories, such as `loss`; that of validation is `val_<column>`.
        title: of the axis.
    """
    names, parts = list(histories), []
    for recipe, history in enumerate(histories.values()):
        # with the last epoch
        kept = history.iloc[:: -epoch_step(history)].iloc[::-1]
        for name, on in [(f"val_{column}", "validation"), (column, "training")]:
            parts.append(pd.DataFrame({"epoch": kept["epoch"], "value": kept[name], "recipe": recipe, "pictures": on}))
    rows = pd.concat(parts)
    rows = rows[np.isfinite(rows["value"])]
    validation = [history[f"val_{column}"].to_numpy(float) for history in histories.values()]
    training = [history[column].to_numpy(float) for history in histories.values()]
    logarithmic = choose_scale(column, validation, allow_logarithmic=True).logarithmic
    scale = choose_scale(column, [*validation, *training], logarithmic)
    near = alt.selection_point(name="near", nearest=True, on="pointerover", fields=["epoch"], empty=False)
    last = max(map(len, histories.values()))
    # of few epochs, Vega would mark halves
    ticks = list(range(1, last + 1)) if last <= MAX_TICKS else alt.Undefined
    name = _look_up("datum.recipe")
    named = alt.Chart(_inline(rows)).transform_calculate(
        name=name,
        spoken=f"{name} + ', ' + datum.pictures + ', ' + datum.epoch + ': ' + format(datum.value, '.4~g')",
    )
    base = named.encode(
        x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(format="d", values=ticks), scale=alt.Scale(nice=False)),
        y=alt.Y(
            "value:Q",
            title=title,
            scale=alt.Scale(
                type="log" if scale.logarithmic else "linear", domain=[scale.low, scale.high], zero=False, nice=False
            ),
        ),
        color=alt.Color(
            "recipe:N",
            title=None,
            sort=None,
            scale=alt.Scale(domain=list(range(len(names))), range=list(COLORS)),
            legend=alt.Legend(
                orient="top", columns=1, labelLimit=_legend_width(names), labelExpr=_look_up("datum.value")
            ),
        ),
    )
    dash = alt.StrokeDash(
        "pictures:N",
        title=None,
        sort=None,
        legend=alt.Legend(orient="top", columns=2, labelLimit=LEGEND_LIMITS[0], labelExpr="datum.label"),
        scale=alt.Scale(range=[[1, 0], [5, 4]]),
    )
    # a line of one point does not show
    lines = base.mark_line(clip=True, point=min(map(len, histories.values())) == 1).encode(
        strokeDash=dash, description="name:N"
    )
    tooltip = [
        alt.Tooltip("name:N", title="recipe"),
        alt.Tooltip("pictures:N", title="pictures"),
        alt.Tooltip("epoch:Q", title="epoch"),
        alt.Tooltip("value:Q", title=title, format=".4~g"),
    ]
    points = (
        base.mark_point(filled=True, size=60, clip=True)
        .encode(opacity=alt.condition(near, alt.value(1), alt.value(0)), tooltip=tooltip, description=SPOKEN)
        .add_params(near)
    )
    return _spec(alt.layer(lines, points), 300, names=names)


def _legend_width(names: Iterable[str]) -> int:
    # by which the page knows how many find room side by side
    least, most = LEGEND_LIMITS
    return min(most, max(least, LETTER_WIDTH * max(map(len, names))))


def epoch_step(history: pd.DataFrame) -> int:
    """Return how many epochs it is from one that is drawn to the next."""
    return max(1, -(-len(history) // MAX_EPOCHS))


def chart_confusion(confusions: pd.DataFrame, classes: list[str]) -> Spec:
    """Chart how often each class was taken for each, cells of none left blank.

    Args:
        confusions: as `results.confusion.count_confusions` returns them.
        classes: those to show, in their order.
    """
    names = name_in_short(classes)
    abreast = fit_abreast(names)
    shown = {name: number for number, name in enumerate(classes)}
    counts = confusions[confusions["real"].isin(shown) & confusions["predicted"].isin(shown)]
    counts = counts.assign(real=counts["real"].map(shown), predicted=counts["predicted"].map(shown))
    # Vega leaves room for what is shortened here already
    level = sum(map(count_cells, names)) <= MAX_LEVEL
    label = _look_up("datum.value")
    axis = alt.Axis(labelAngle=0 if level else -90, labelLimit=LABEL_LIMIT, labelExpr=label)
    y_axis = alt.Axis(labelLimit=LABEL_LIMIT, labelExpr=label)
    scale = alt.Scale(domain=list(range(len(names))))
    real, predicted = _look_up("datum.real"), _look_up("datum.predicted")
    named = alt.Chart(_inline(counts)).transform_calculate(
        real_name=real, predicted_name=predicted, spoken=f"{real} + ' → ' + {predicted} + ': ' + datum.pictures"
    )
    base = named.encode(
        x=alt.X("predicted:N", sort=None, scale=scale, axis=axis, title="predicted"),
        y=alt.Y("real:N", sort=None, scale=scale, axis=y_axis, title="real"),
        tooltip=[
            alt.Tooltip("real_name:N", title="real"),
            alt.Tooltip("predicted_name:N", title="predicted"),
            alt.Tooltip("pictures:Q", title="pictures", format=",d"),
        ],
        description=SPOKEN,
    )
    color = alt.Color("pictures:Q", scale=alt.Scale(type="log", scheme="blues", domainMin=1), legend=None)
    dark = max(1.0, float(counts["pictures"].max()) ** 0.6)
    ink = alt.condition(alt.datum.pictures > dark, alt.value("white"), alt.value("black"))
    numbers = base.mark_text(fontSize=11).encode(text=alt.Text("pictures:Q"), color=ink)
    layers = alt.layer(base.mark_rect().encode(color=color), numbers)
    # upright names need their own width, whatever that of the page
    width: Width = "container" if abreast else alt.Step(CLASS_SIDE)
    return _spec(layers, max(360, CLASS_SIDE * len(names)), width, names)


def choose_points(predictions: pd.DataFrame) -> pd.DataFrame:
    """Choose evenly so many predictions as a page can draw."""
    return predictions.iloc[:: max(1, -(-len(predictions) // MAX_POINTS))]


def chart_residuals(predictions: pd.DataFrame, unit: str | None) -> Spec:
    """Chart how far predictions are from the real number."""
    rows = predictions[["real", "predicted"]].copy()
    rows["residual"] = rows["predicted"] - rows["real"]
    rows = rows[np.isfinite(rows["residual"])]
    in_unit = f" ({unit})" if unit else ""
    points = (
        alt.Chart(_inline(rows.round(4)))
        .mark_point(filled=True, size=18, opacity=0.45)
        .encode(
            x=alt.X("real:Q", title=f"real{in_unit}"),
            y=alt.Y("residual:Q", title=f"predicted - real{in_unit}"),
            tooltip=[alt.Tooltip(f"{name}:Q", title=name, format=".5~g") for name in rows],
        )
    )
    zero = alt.Chart(_inline(pd.DataFrame({"zero": [0]}))).mark_rule(color="black").encode(y="zero:Q")
    return _spec(alt.layer(points, zero), 320)


def chart_calibration(bins: pd.DataFrame) -> Spec:
    """Chart the share of right predictions over the confidence, as `evaluation.calibration.calibrate` returns them."""
    axis = alt.Axis(format=".0%")
    unit_scale = alt.Scale(domain=[0, 1])
    ideal = (
        alt.Chart(_inline(pd.DataFrame({"confidence": [0, 1], "accuracy": [0, 1]})))
        .mark_line(color="#767676", strokeDash=[4, 4])
        .encode(x="confidence:Q", y="accuracy:Q")
    )
    points = (
        alt.Chart(_inline(bins.round(5)))
        .mark_point(filled=True, opacity=0.9)
        .encode(
            x=alt.X("confidence:Q", title="confidence", axis=axis, scale=unit_scale),
            y=alt.Y("accuracy:Q", title="accuracy", axis=axis, scale=unit_scale),
            size=alt.Size("pictures:Q", legend=None, scale=alt.Scale(range=[40, 400])),
            tooltip=[
                alt.Tooltip("confidence:Q", title="confidence", format=".2%"),
                alt.Tooltip("accuracy:Q", title="accuracy", format=".2%"),
                alt.Tooltip("pictures:Q", title="pictures", format=",d"),
            ],
        )
    )
    return _spec(alt.layer(ideal, points), 320)


def chart_learning_curve(trainings: pd.DataFrame, means: pd.DataFrame, metric: str, ends: tuple[float, float]) -> Spec:
    """Chart a metric of the validation pictures over the number of training pictures, a doubling as wide as another.

    Args:
        trainings: a row for each, with `pictures` and the metric.
        means: the same for each number of pictures.
        metric: a column of both.
        ends: of the axis of the metric.
    """
    ticks = means["pictures"].tolist()
    scale = alt.Scale(type="log", nice=False, padding=20)
    x = alt.X("pictures:Q", title="training pictures", scale=scale, axis=alt.Axis(values=ticks, format=",d"))
    y = alt.Y(f"{metric}:Q", title=metric, scale=alt.Scale(domain=list(ends), zero=False))
    tooltip = [
        alt.Tooltip("pictures:Q", title="training pictures", format=",d"),
        alt.Tooltip(f"{metric}:Q", title=metric, format=".4~g"),
    ]
    line = alt.Chart(_inline(means[["pictures", metric]])).mark_line().encode(x=x, y=y)
    points = alt.Chart(_inline(trainings[["pictures", metric]])).mark_point(filled=True, size=60)
    return _spec(alt.layer(line, points.encode(x=x, y=y, tooltip=tooltip)), 260)


def chart_search(figures: pd.Series, metric: str, less: bool) -> Spec:
    """Chart the trials of a search in their order, and the best so far.

    Args:
        figures: of the trials; NaN without one.
        metric: their name.
        less: whether less of it is better.
    """
    best = (figures.cummin() if less else figures.cummax()).ffill()
    scale = alt.Scale(domain=list(choose_ends(figures.dropna().to_numpy(), less)), zero=False, clamp=True)
    rows = pd.DataFrame({"trial": range(1, len(figures) + 1), metric: figures.to_numpy(), "best": best.to_numpy()})
    x = alt.X("trial:Q", axis=alt.Axis(format="d", tickMinStep=1))
    y = alt.Y(f"{metric}:Q", title=metric, scale=scale)
    tooltip = [alt.Tooltip("trial:Q"), alt.Tooltip(f"{metric}:Q", format=".5~g")]
    points = alt.Chart(_inline(rows[["trial", metric]].dropna()))
    line = alt.Chart(_inline(rows[["trial", "best"]].dropna())).mark_line(interpolate="step-after")
    return _spec(
        alt.layer(
            line.encode(x=x, y=alt.Y("best:Q", title=metric, scale=scale)),
            points.mark_point(filled=True, size=40, opacity=0.5).encode(x=x, y=y, tooltip=tooltip),
        ),
        220,
    )


def chart_tried(tried: Tried, figures: pd.Series, metric: str, less: bool) -> Spec:
    """Chart the metric over what was tried of a value.

    Args:
        tried: of the trials.
        figures: of the trials; NaN without one.
        metric: their name.
        less: whether less of it is better.
    """
    rows = pd.DataFrame({"place": tried.places, metric: figures.to_numpy()}).dropna()
    scale = alt.Scale(domain=list(choose_ends(figures.dropna().to_numpy(), less)), zero=False, clamp=True)
    if tried.choices:
        places = list(range(len(tried.choices)))
        axis = alt.Axis(labelExpr=_look_up("datum.value"), labelLimit=LABEL_LIMIT, labelAngle=0)
        x = alt.X("place:O", title=tried.name, scale=alt.Scale(domain=places), axis=axis)
        shown = alt.Tooltip("place:O", title=tried.name)
    else:
        kind: Literal["log", "linear"] = "log" if tried.log else "linear"
        # of whole numbers no halves
        axis = alt.Axis(tickMinStep=1) if not np.mod(tried.places, 1).any() else alt.Axis()
        scale_x = alt.Scale(type=kind, zero=False, nice=False, padding=12)
        x = alt.X("place:Q", title=tried.name, scale=scale_x, axis=axis)
        shown = alt.Tooltip("place:Q", title=tried.name, format=".4~g")
    points = alt.Chart(_inline(rows)).mark_point(filled=True, size=40, opacity=0.6)
    y = alt.Y(f"{metric}:Q", title=metric, scale=scale)
    tooltip = [shown, alt.Tooltip(f"{metric}:Q", format=".5~g")]
    return _spec(alt.layer(points.encode(x=x, y=y, tooltip=tooltip)), 200, names=tried.choices)


def _look_up(number: str) -> str:
    """Return an expression of Vega for the name that has a number; `_spec` gives the names."""
    return f"{NAMES}[{number}]"


def _inline(rows: pd.DataFrame) -> alt.Data:
    # as CSV, which is a third of the size of JSON
    kinds = {
        str(column): "number" if pd.api.types.is_numeric_dtype(rows[column]) else "string" for column in rows.columns
    }
    return alt.Data(
        values=rows.to_csv(index=False, float_format="%.7g"), format=alt.CsvDataFormat(type="csv", parse=kinds)
    )


def _spec(
    chart: alt.LayerChart | alt.FacetChart, height: int, width: Width = "container", names: Sequence[str] = ()
) -> Spec:
    font = "system-ui, sans-serif"
    sized = chart.properties(width=width, height=height)
    spec: Spec = sized.configure(font=font).configure_axis(labelFontSize=12, titleFontSize=12).to_dict()
    if names:
        # as a value, since in the text of an expression Vega stumbles over them too
        spec.setdefault("params", []).append({"name": NAMES, "value": list(names)})
    # Vega has it, and Altair does not know it
    spec["config"]["legend"] = {"layout": {"top": {"direction": "vertical", "anchor": "start", "margin": 2}}}
    return spec
