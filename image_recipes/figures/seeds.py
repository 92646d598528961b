"""Recipes over seeds: a strip of points for each."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from image_recipes.figures.canvas import save_figure


def draw_seeds(figures: Mapping[str, pd.Series], metric: str, floor: float | None, file: Path) -> None:
    """Draw each training as a point, and a bar at each recipe's mean.

    Args:
        figures: by recipe, of the test pictures.
        metric: their name.
        floor: of the best possible predictor on the same pictures, where it is known.
        file: the PNG to write.
    """
    figure = Figure(figsize=(6.4, 1.4 + 0.5 * len(figures)), layout="constrained")
    axes = figure.subplots()
    for place, values in enumerate(figures.values()):
        # side by side, so that equal ones are seen
        spread = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(1)
        axes.plot(values, place + spread, "o", color="#1f5fa8", alpha=0.55, markersize=5)
        axes.plot([values.mean()] * 2, [place - 0.28, place + 0.28], color="#1f5fa8", linewidth=2)
    if floor is not None:
        axes.axvline(floor, color="#767676", linestyle="--", linewidth=1, label="best possible")
        axes.legend(loc="lower right")
    axes.set_yticks(range(len(figures)), [f"{name} ({len(values)})" for name, values in figures.items()])
    axes.set_ylim(len(figures) - 0.5, -0.5)
    axes.set_xlabel(f"{metric} of the test pictures (a point: a seed; bar: their mean)")
    axes.grid(axis="x", alpha=0.3)
    save_figure(figure, file)
