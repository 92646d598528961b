"""Benchmark results: JSON to read by program, a table and a chart to look at."""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd

mpl.use("Agg")
import matplotlib.pyplot as plt

from image_recipes.core.files import write_text, written_whole

RESULTS = Path(__file__).parent / "results"


def save_rows(rows: list[dict[str, Any]], name: str) -> None:
    """Write rows as results/<name>.json, one a line."""
    lines = ",\n".join(json.dumps(row) for row in rows)
    write_text(f"[\n{lines}\n]\n", RESULTS / f"{name}.json")


def save_table(table: pd.DataFrame, name: str) -> str:
    """Write a table of texts as results/<name>.md, and return it; the first column is aligned left."""
    align = ["left"] + ["right"] * (table.shape[1] - 1)
    text = table.to_markdown(index=False, colalign=align, disable_numparse=True) + "\n"
    write_text(text, RESULTS / f"{name}.md")
    return text


def tabulate_speed(rows: list[dict[str, Any]], contenders: list[str]) -> pd.DataFrame:
    """Set our seconds an epoch beside the ratios of the others.

    Args:
        rows: as in speed.json or speed_added.json.
        contenders: the columns, ours first; those that were meant for no recipe are left out.
    """
    lines = []
    for recipe in dict.fromkeys(row["recipe"] for row in rows):
        found = {row["contender"]: row for row in rows if row["recipe"] == recipe}
        ours = found["ours"]
        # of a recipe that computes ahead, an epoch says little
        whole = ours.get("compared") == "training"
        seconds = ours["training_seconds"] if whole else ours["seconds_per_epoch"]["median"]
        line = {"recipe": recipe, "ours, s": f"{seconds:.3g}{' (all epochs)' if whole else ''}"}
        for name in contenders[1:]:
            line[name] = _ratio(found.get(name))
        line["of the peak"] = f"{ours['share_of_peak']:.0%}" if "share_of_peak" in ours else "-"
        lines.append(line)
    table = pd.DataFrame(lines)
    return table.loc[:, (table != "-").any()]


def _ratio(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    if "skipped" in row:
        return "not installed" if "not installed" in row["skipped"] else "-"
    spread = row["ratio_spread"]
    return f"{row['ratio_to_ours']:.2f} ({spread['min']:.2f}-{spread['max']:.2f})"


def draw_speed(rows: list[dict[str, Any]], contenders: list[str], file: Path) -> None:
    """Draw the ratios as bars, with their spread over the rounds."""
    recipes = list(dict.fromkeys(row["recipe"] for row in rows))
    timed = {row["contender"] for row in rows if "skipped" not in row}
    contenders = [name for name in contenders if name in timed]
    height = 0.8 / len(contenders)
    figure, axes = plt.subplots(figsize=(9, 1.1 + 0.2 * len(contenders) * len(recipes)), layout="constrained")
    for number, name in enumerate(contenders):
        bars = [
            (recipes.index(row["recipe"]), row) for row in rows if row["contender"] == name and "skipped" not in row
        ]
        places = [place + number * height for place, _ in bars]
        ratios = [row["ratio_to_ours"] for _, row in bars]
        low = [max(0, row["ratio_to_ours"] - row["ratio_spread"]["min"]) for _, row in bars]
        high = [max(0, row["ratio_spread"]["max"] - row["ratio_to_ours"]) for _, row in bars]
        axes.barh(
            places, ratios, height * 0.9, xerr=[low, high], label=name, ecolor="0.35", error_kw={"linewidth": 0.8}
        )
        for place, ratio, extra in zip(places, ratios, high, strict=True):
            axes.text(ratio + extra, place, f" {ratio:.2f}", va="center", fontsize=8)
    axes.set_yticks([place + 0.4 - height / 2 for place in range(len(recipes))], recipes)
    axes.invert_yaxis()
    axes.axvline(1, color="0.35", linewidth=0.8)
    axes.set_xlabel("time, ours = 1 (longer is slower)")
    figure.legend(frameon=False, loc="outside right upper")
    axes.spines[["top", "right"]].set_visible(False)
    with written_whole(file) as partial:
        figure.savefig(partial, dpi=110, metadata={"Software": None})
    plt.close(figure)
