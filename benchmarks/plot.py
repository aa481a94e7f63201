"""Draw latest.png and latest.svg: `python -m benchmarks.plot results/latest.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib import patches
from matplotlib import pyplot as plt

from benchmarks.figures import Figures

COLOURS = {
    "limit": "#c9ced6",
    "jetstow": "#e4572e",
    "nats-py": "#31475e",
    "natsrpy": "#5f7d9c",
    "natsio": "#8fa9c2",
    "nats.js": "#b9cad9",
    "nats.js native": "#d5e0ea",
    "previous": "#f3b39f",
}
INK = "#22303c"
PALE = "#6b7885"

PANELS: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    ("Put", (("put", "from memory"), ("put-file", "from a file"), ("memory-put", "memory storage"),
             ("r3-put", "three replicas"))),
    ("Get", (("get", "into memory"), ("stream", "streamed"), ("get-file", "into a file"),
             ("r3-get", "three replicas"))),
    ("1 KiB objects, one after another",
     (("put-small", "put"), ("replace-small", "replace"), ("get-small", "get"),
      ("info-small", "get_info"))),
    ("1 KiB objects, 64 at once",
     (("put-small-at-once", "put"), ("get-small-at-once", "get"),
      ("info-small-at-once", "get_info"))),
    ("16 transfers at once",
     (("many-put", "put"), ("many-get", "get"), ("r3-many-put", "put, three replicas"))),
    ("Listing", (("list-few", ""), ("list-many", ""))),
)  # fmt: skip


def draw(run: dict[str, Any], base: Path) -> None:
    """Write the plot as PNG and SVG next to the results."""
    figures = Figures(run)
    plt.rcParams.update(
        {"font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "svg.hashsalt": "x"}
    )
    figure, axes = plt.subplots(3, 2, figsize=(15, 12.5))
    for axis, (title, groups) in zip(axes.flat, PANELS, strict=True):
        _panel(axis, figures, title, groups)
    handles = [patches.Patch(color=COLOURS[name]) for name in figures.clients]
    figure.legend(
        handles, [_legend(name) for name in figures.clients], loc="upper center", frameon=False,
        ncols=len(handles), bbox_to_anchor=(0.5, 0.955), fontsize=10,
    )  # fmt: skip
    figure.suptitle("Object stores on NATS JetStream", fontsize=17, weight="bold", y=0.985)
    env = run["environment"]
    foot = (
        f"Median of {run['repeats']} runs (fewer for the longest), bars from minimum to maximum. "
        f"nats-server {env['nats-server']}, {env['cpus']} CPUs, Python {env['python']}, "
        f"{env['date'].partition(' ')[0]}."
    )
    figure.text(0.5, 0.012, foot, ha="center", color=PALE, fontsize=9)
    figure.subplots_adjust(
        left=0.055, right=0.985, top=0.895, bottom=0.065, hspace=0.34, wspace=0.13
    )
    for kind in ("png", "svg"):
        figure.savefig(base.with_suffix(f".{kind}"), dpi=150, metadata=_undated(kind))
    plt.close(figure)


def _undated(kind: str) -> dict[str, Any]:
    return {"Date": None} if kind == "svg" else {"Software": None}


def _legend(name: str) -> str:
    return "limit (plain socket)" if name == "limit" else name


def _panel(axis: Any, figures: Figures, title: str, groups: Sequence[tuple[str, str]]) -> None:
    """Draw groups of bars, one bar per client."""
    measures = {measure.key: measure for measure in figures.present()}
    groups = [(key, label) for key, label in groups if key in measures]
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.spines["bottom"].set_color(PALE)
    axis.tick_params(length=0, colors=INK)
    axis.set_yticks([])
    axis.set_title(title, loc="left", weight="bold", fontsize=12, pad=14)
    if not groups:
        axis.set_xticks([])
        axis.set_title("not measured", loc="right", color=PALE, fontsize=9)
        return
    middles, at, highest = [], 0.0, 0.0
    for key, _ in groups:
        shown = [name for name in figures.clients if figures.values(key, name)]
        for name in shown:
            highest = max(highest, _bar(axis, figures, key, name, at))
            at += 1
        middles.append(at - len(shown) / 2 - 0.5)
        at += 0.9
    labels = [label or measures[key].title.replace("list ", "") for key, label in groups]
    axis.set_xticks(middles, labels, fontsize=10)
    axis.set_xlim(-0.8, at - 1.1)
    axis.set_ylim(0, highest * 1.08)
    unit = "objects per second" if measures[groups[0][0]].kind != "MiB/s" else "MiB/s"
    axis.set_title(f"{unit}, more is better", loc="right", color=PALE, fontsize=9)


def _bar(axis: Any, figures: Figures, key: str, name: str, at: float) -> float:
    """Draw a bar with its range and its number, and return its height."""
    values = _rates(figures, key, name)
    middle, ours = median(values), name == "jetstow"
    axis.bar(at, middle, width=0.86, color=COLOURS[name], zorder=2)
    axis.vlines(at, min(values), max(values), color=INK, linewidth=0.9, alpha=0.5, zorder=3)
    axis.annotate(
        _short(middle), (at, max(values)), xytext=(0, 3), textcoords="offset points",
        ha="center", va="bottom", fontsize=9 if ours else 7.5,
        color=COLOURS["jetstow"] if ours else PALE, weight="bold" if ours else "normal",
    )  # fmt: skip
    return max(values)


def _rates(figures: Figures, key: str, name: str) -> list[float]:
    """Return the rates of a bar. More is better, for listings too."""
    values = figures.values(key, name)
    counts = dict(zip(("list-few", "list-many"), figures.scale.names, strict=True))
    return [counts[key] / value for value in values] if key in counts else values


def _short(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1000:.0f}k"
    if value >= 1000:
        return f"{value / 1000:.1f}k"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


if __name__ == "__main__":
    source = Path(sys.argv[1])
    draw(json.loads(source.read_text()), source.with_suffix(""))
