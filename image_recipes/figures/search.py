"""A search's trials: the best so far, what was tried and what it cost, what mattered; and recipes over seeds."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from image_recipes.figures.canvas import save_figure, set_log_axis
from image_recipes.results.curves import COLORS
from image_recipes.results.searches import Tried, choose_ends

BLUE, GREY = "#1f5fa8", "#9a9a9a"
PANELS_ABREAST = 3
# of the figure of seeds, in inches
WIDTH, COSTS_HEIGHT = 7.2, 3.0
# columns of a table of seeds
COSTS = {"seconds": "seconds of a training", "parameters": "parameters"}
LONGEST_LABEL = 18


def draw_search(
    figures: pd.Series,
    tried: Sequence[Tried],
    costs: Sequence[Tried],
    metric: str,
    less: bool,
    importance: Mapping[str, float],
    folder: Path,
) -> None:
    """Draw a search.

    Args:
        figures: of the trials, in order; NaN without one.
        tried: what was tried of each value, of the same trials.
        costs: what the same trials have cost.
        metric: name of the figure.
        less: whether less of it is better.
        importance: by the value's name, the shares of what makes trials good; none if they are unknown.
        folder: where `history.png`, `slices.png`, `parallel.png` and `importance.png` are written.
    """
    if figures.notna().sum() == 0:
        return
    ends = choose_ends(figures.dropna().to_numpy(), less)
    _draw_history(figures, metric, less, ends, folder / "history.png")
    _draw_slices(figures, [*tried, *costs], metric, ends, folder / "slices.png")
    _draw_parallel(figures, tried, metric, less, folder / "parallel.png")
    if importance:
        _draw_importance(importance, folder / "importance.png")


def draw_seeds(tables: Mapping[str, pd.DataFrame], metric: str, floor: float | None, file: Path) -> None:
    """Draw each training as a point, and a bar at each recipe's mean; of several recipes, what they cost too.

    Args:
        tables: by recipe, as `results.seeds.load_seeds` returns them.
        metric: name of the task's main one; that of the test pictures is drawn.
        floor: of the best possible predictor on the same pictures, where it is known.
        file: the PNG to write.
    """
    strip_height = 1.2 + 0.42 * len(tables)
    heights = [strip_height, COSTS_HEIGHT] if len(tables) > 1 else [strip_height]
    figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).ravel()
    colors = {name: COLORS[number % len(COLORS)] for number, name in enumerate(tables)}
    figures = {name: table[f"test_{metric}"] for name, table in tables.items()}
    _draw_strip(parts[0].subplots(), figures, metric, floor, colors)
    if len(heights) > 1:
        panels = parts[1].subplots(1, len(COSTS), sharey=True)
        for axes, (column, label) in zip(panels, COSTS.items(), strict=True):
            for name, table in tables.items():
                values = figures[name]
                axes.errorbar(table[column].mean(), values.mean(), values.std(), fmt="o", color=colors[name], capsize=3)
            set_log_axis(axes, np.array([table[column].mean() for table in tables.values()]))
            axes.set_xlabel(label)
            axes.grid(alpha=0.3)
        panels[0].set_ylabel(f"{metric}, mean and\nstandard deviation")
    save_figure(figure, file)


def _draw_history(figures: pd.Series, metric: str, less: bool, ends: tuple[float, float], file: Path) -> None:
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    numbers = np.arange(1, len(figures) + 1)
    best = (figures.cummin() if less else figures.cummax()).ffill()
    shown = figures.where(figures.between(*ends))
    axes.plot(numbers, shown, "o", color=BLUE, alpha=0.45, label="a trial")
    for marker, edge, beyond in _find_beyond(figures, ends):
        label = f"a trial beyond {edge:.4g}"
        axes.plot(numbers[beyond], np.full(beyond.sum(), edge), marker, color=BLUE, clip_on=False, label=label)
    axes.plot(numbers, best, drawstyle="steps-post", color=BLUE, label="best so far")
    axes.set_xlabel("trial")
    _finish(axes, metric, ends)
    axes.legend()
    save_figure(figure, file)


def _draw_slices(
    figures: pd.Series, tried: Sequence[Tried], metric: str, ends: tuple[float, float], file: Path
) -> None:
    columns = min(PANELS_ABREAST, len(tried))
    rows = -(-len(tried) // columns)
    figure = Figure(figsize=(max(4.8, 3.4 * columns), 3.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, value in zip(panels, tried, strict=False):
        turns = np.arange(len(figures))
        shade = colormaps["Blues"](0.3 + 0.7 * turns / max(1, len(turns) - 1))
        axes.scatter(value.places, figures.where(figures.between(*ends)), s=26, c=shade)
        for marker, edge, beyond in _find_beyond(figures, ends):
            heights = np.full(beyond.sum(), edge)
            axes.scatter(value.places[beyond], heights, s=26, marker=marker, clip_on=False, c=shade[beyond])
        _name_axis(axes, value)
        axes.set_xlabel(value.name)
        _finish(axes, metric, ends)
    for axes in panels[len(tried) :]:
        axes.set_axis_off()
    title = "the darker, the later the trial"
    if _find_beyond(figures, ends):
        title += "; a triangle: beyond the axis"
    figure.suptitle(title, fontsize=10)
    save_figure(figure, file)


def _draw_parallel(figures: pd.Series, tried: Sequence[Tried], metric: str, less: bool, file: Path) -> None:
    done = figures.notna().to_numpy()
    ends = choose_ends(figures[done].to_numpy(), less)
    # far worse trials would press all others together
    values = figures[done].clip(*ends).to_numpy()
    ranks = np.argsort(np.argsort(values if less else -values))
    shades = colormaps["Blues_r"](ranks / max(1, len(ranks) - 1) * 0.85)
    heights = [_unit(value)[done] for value in tried] + [_unit(Tried(metric, values, False, ()))]
    figure = Figure(figsize=(max(6.4, 1.7 * (len(tried) + 1)), 4.2), layout="constrained")
    axes = figure.subplots()
    # the best last, so that they lie above
    for place in np.argsort(-ranks):
        axes.plot(range(len(heights)), [column[place] for column in heights], color=shades[place], linewidth=1.3)
    signs = ["≥ " if figures[done].max() > ends[1] else "", "≤ " if figures[done].min() < ends[0] else ""]
    for place, value in enumerate([*tried, Tried(metric, values, False, ())]):
        axes.axvline(place, color=GREY, linewidth=0.8)
        for height, text in _ticks(value):
            axes.annotate(
                f"{signs[0 if height else 1]}{text}" if place == len(tried) else text,
                (place, height),
                textcoords="offset points",
                xytext=(4, 0),
                fontsize=8,
                va="center",
                clip_on=False,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1},
            )
    axes.set_xticks(range(len(heights)), [*(_break(value.name) for value in tried), metric])
    axes.set_yticks([])
    axes.set_xlim(-0.1, len(heights) - 0.6)
    axes.set_title("a line is a trial; the darker, the better", fontsize=10)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
    save_figure(figure, file)


def _draw_importance(importance: Mapping[str, float], file: Path) -> None:
    figure = Figure(figsize=(6.4, 1.2 + 0.4 * len(importance)), layout="constrained")
    axes = figure.subplots()
    shares = pd.Series(importance).sort_values()
    bars = axes.barh(shares.index, shares, color=BLUE)
    axes.bar_label(bars, [f" {share:.0%}" for share in shares])
    axes.set_xlim(0, min(1.0, shares.max()) * 1.15 or 1)
    axes.set_xlabel("share in what makes trials good (PED-ANOVA)")
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    save_figure(figure, file)


def _draw_strip(
    axes: Axes, figures: Mapping[str, pd.Series], metric: str, floor: float | None, colors: Mapping[str, str]
) -> None:
    for place, (name, values) in enumerate(figures.items()):
        # side by side, so that equal ones are seen
        spread = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(1)
        axes.plot(values, place + spread, "o", color=colors[name], alpha=0.55, markersize=5)
        axes.plot([values.mean()] * 2, [place - 0.28, place + 0.28], color=colors[name], linewidth=2)
    if floor is not None:
        axes.axvline(floor, color="#767676", linestyle="--", linewidth=1, label="best possible")
        axes.legend(loc="best")
    axes.set_yticks(range(len(figures)), [f"{name} ({len(values)})" for name, values in figures.items()])
    axes.set_ylim(len(figures) - 0.5, -0.5)
    axes.set_xlabel(f"{metric} of the test pictures (a point: a seed; bar: their mean)")
    axes.grid(axis="x", alpha=0.3)


def _finish(axes: Axes, metric: str, ends: tuple[float, float]) -> None:
    axes.set_ylim(ends)
    axes.set_ylabel(metric)
    axes.grid(alpha=0.3)


def _name_axis(axes: Axes, value: Tried) -> None:
    if value.choices:
        texts = [_wrap(choice) for choice in value.choices]
        axes.set_xticks(range(len(texts)), texts, rotation=0 if sum(map(len, texts)) < 30 else 90, fontsize=8)
        axes.set_xlim(-0.5, len(texts) - 0.5)
    elif value.log:
        set_log_axis(axes, value.places)


def _find_beyond(figures: pd.Series, ends: tuple[float, float]) -> list[tuple[str, float, np.ndarray]]:
    """Find the trials beyond each end of an axis that has some: their marker, that end, and which they are."""
    sides = [("v", ends[0], figures.to_numpy() < ends[0]), ("^", ends[1], figures.to_numpy() > ends[1])]
    return [side for side in sides if side[2].any()]


def _unit(value: Tried) -> np.ndarray:
    """Bring places to heights from 0 to 1."""
    places = np.log(value.places) if value.log else value.places
    low, high = _span(value)
    return (places - low) / (high - low) if high > low else np.full(len(places), 0.5)


def _span(value: Tried) -> tuple[float, float]:
    places = np.log(value.places) if value.log else value.places
    return (0, len(value.choices) - 1) if value.choices else (places.min(), places.max())


def _ticks(value: Tried) -> list[tuple[float, str]]:
    if value.choices:
        last = max(1, len(value.choices) - 1)
        heights = [place / last if len(value.choices) > 1 else 0.5 for place in range(len(value.choices))]
        return [(height, _wrap(text)) for height, text in zip(heights, value.choices, strict=True)]
    low, high = value.places.min(), value.places.max()
    return [(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")] if high > low else [(0.5, f"{low:.4g}")]


def _break(name: str) -> str:
    """Break a long name into lines, behind its underscores and points."""
    lines = [""]
    for part in re.findall(r"[^_.]+[_.]?", name):
        if lines[-1] and len(lines[-1]) + len(part) > LONGEST_LABEL:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def _wrap(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"…{text[-LONGEST_LABEL + 1 :]}"
