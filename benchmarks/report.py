"""The report of a run as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.figures import Figures
from benchmarks.plan import MIB, PREVIOUS, Measure, size_of
from benchmarks.targets import OURS, targets

COSTS = ("put", "get", "get-into", "stream", "put-file", "get-file")
MEMORY = ("put-file", "get-file", "list-few", "list-many")


def markdown(run: Mapping[str, Any]) -> str:
    """Return the report of a run."""
    figures = Figures(run)
    parts = [
        "# Benchmark\n",
        _environment(run),
        "## Figures\n",
        "Median (minimum–maximum). Higher rates and lower times are better.\n",
        _table(["", "unit", *figures.clients], _figures(figures)),
        "## Costs\n",
        "Medians. CPU seconds are those of all threads.\n",
        _table(["", *figures.clients], _costs(figures)),
        "## Targets\n",
        "Ratios of medians within this run.\n",
        _table(["target", "goal", "measured", "met"], _targets(figures, whole=run["whole"])),
        *_previous(figures),
        *_notes(run, figures),
    ]
    return "\n".join(parts)


def _environment(run: Mapping[str, Any]) -> str:
    env = run["environment"]
    clients = ", ".join(f"{name} {number}" for name, number in env["clients"].items())
    return f"""\
- {env["date"]}, commit {env["commit"]}, {run["minutes"]} minutes.
- Sizes: {run["scale"]}; repeats: {run["repeats"]}, fewer of the longest.
- {env["system"]}, {env["cpus"]} × {env["cpu"] or "unknown CPU"}, Python {env["python"]}.
- nats-server {env["nats-server"]}; {clients}.
"""


def _figures(figures: Figures) -> Iterator[list[str]]:
    for measure in figures.present():
        cells = [_cell(figures, measure, client) for client in figures.clients]
        yield [measure.title, measure.kind, *cells]


def _cell(figures: Figures, measure: Measure, client: str) -> str:
    values = figures.values(measure.key, client)
    if not values:
        return "failed" if figures.errors(measure.key, client) else ""
    size = figures.different_size(measure.key, client)
    note = f" of {size_of(size)}" if size else ""
    if len(values) == 1:
        return f"{number(values[0])} (once){note}"
    low, high = number(min(values)), number(max(values))
    return f"{number(median(values))} ({low}–{high}){note}"


def number(value: float) -> str:
    """Format a number with three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _costs(figures: Figures) -> Iterator[list[str]]:
    titles = {measure.key: measure.title for measure in figures.present()}
    fields = [
        ("client CPU s per GiB", "cpu", COSTS, 1.0),
        ("server CPU s per GiB", "server_cpu", COSTS, 1.0),
        ("peak memory growth, MiB", "growth", MEMORY, MIB),
        ("page faults", "faults", ("get",), 1.0),
    ]
    for title, what, keys, unit in fields:
        for key in keys:
            if key in titles:
                found = [figures.cost(what, key, client) for client in figures.clients]
                cells = ["" if value is None else number(value / unit) for value in found]
                yield [f"{titles[key]}: {title}", *cells]


def _targets(figures: Figures, *, whole: bool) -> Iterator[list[str]]:
    for target in targets(figures):
        if target.met is None and not whole:
            continue
        met = {True: "yes", False: "NO", None: "?"}[target.met]
        yield [target.name, target.goal, target.measured, met]


def _previous(figures: Figures) -> Iterator[str]:
    """Yield a comparison with the previous version: how many times as good, by medians."""
    rows = []
    for measure in figures.present():
        ours, before = figures.median(measure.key, OURS), figures.median(measure.key, PREVIOUS)
        if ours and before:
            is_rate = measure.kind in ("MiB/s", "per second")
            ratio = ours / before if is_rate else before / ours
            rows.append([measure.title, number(ours), number(before), f"{ratio:.2f}"])
    if rows:
        yield "## Compared with the previous version\n"
        yield _table(["", "jetstow", "previous", "ratio"], rows)


def _notes(run: Mapping[str, Any], figures: Figures) -> Iterator[str]:
    notes = [f"{place}: {message}" for place, message in run["notes"].items()]
    for measure, client in figures.samples:
        if errors := figures.errors(measure, client):
            notes.append(f"{measure}/{client}: {len(errors)} errors, the first: {errors[0]}")
        if slow := figures.slow_consumers(measure, client):
            notes.append(f"{measure}/{client}: {slow} slow consumers")
    if notes:
        yield "## Failures\n"
        yield "".join(f"- {note}\n" for note in notes)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    rule = ["-" * max(3, width) for width in widths]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (heads, *cells)
    ]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines) + "\n"
