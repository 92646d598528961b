"""Recipes over seeds: how far each one's trainings lie apart, and what its accuracy costs."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from image_recipes.figures.canvas import save_figure, set_log_axis
from image_recipes.results.curves import COLORS

WIDTH, COSTS_HEIGHT = 7.2, 3.0
# columns of a table of seeds
COSTS = {"seconds": "seconds of a training", "parameters": "parameters"}


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
