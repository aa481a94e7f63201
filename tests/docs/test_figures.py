"""The figures on the pages are those of the last benchmark."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Final

import pytest

from tests.docs import pages

RESULTS: Final = (pages.ROOT / "benchmarks" / "results" / "latest.md").read_text(encoding="utf-8")
PAGE: Final = "guides/performance.md"


def rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("| ") and "---" not in line:
            yield [cell.strip() for cell in line.strip("|").split("|")]


def _median(cell: str) -> str:
    return cell.partition(" ")[0]


# Of each task: the median of jetstow with its unit, and those of nats-py and the bare socket.
MEASURED: Final = {
    row[0]: [f"{_median(row[3])} {row[1]}", _median(row[4]), _median(row[2])]
    for row in rows(RESULTS)
    if len(row) > 6
}
QUOTED: Final = [row for row in rows(pages.text(PAGE)) if row[0] != "task"]


@pytest.mark.parametrize("row", QUOTED, ids=" ".join)
def test_figure_is_that_of_the_benchmark(row: list[str]) -> None:
    task, *figures = row
    assert figures == MEASURED[task][: len(figures)]


def test_memory_is_that_of_the_benchmark() -> None:
    growth = dict(
        re.findall(r"\| ([^|]+): peak memory growth, MiB +\| [\d.]+ +\| ([\d.]+)", RESULTS)
    )
    put, get = (
        round(float(growth[task])) for task in ("put a file of 1 GiB", "get 1 GiB into a file")
    )
    assert f"1 GiB needed {put} MiB more, and getting one {get} MiB" in pages.text(PAGE).replace(
        "\n", " "
    )


def test_figures_are_found() -> None:
    assert len(QUOTED) > 20


def test_number_of_dependencies() -> None:
    text = (pages.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert len(tomllib.loads(text)["project"]["dependencies"]) == 8
    assert "| eight, " in pages.text("comparison.md")
