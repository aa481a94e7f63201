"""Answers as text and as JSON."""

from __future__ import annotations

import datetime
import json

import pytest

from jetstow import ObjectInfo, ObjectLink, ObjectMetaOptions
from jetstow.cli import render


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (10_000_000, "9.5 MiB"),
        (1023 * 1024, "1.0 MiB"),
        (300 << 20, "300 MiB"),
        (5 << 60, "5120 PiB"),
    ],
)
def test_sizes_are_readable(count: int, text: str) -> None:
    assert render.bytes_of(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, ""), (30 * 86400, "30d"), (5400, "1h30m"), (0.2, "0.2s"), (90061, "1d1h1m1s")],
)
def test_spans_are_readable(seconds: float | None, text: str) -> None:
    assert render.span(seconds) == text


def test_a_moment_is_told_as_it_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    when = datetime.datetime(2024, 5, 1, 12, 30, 15, 987654, tzinfo=datetime.UTC)
    assert render.moment(when) == f"{when.astimezone():%Y-%m-%d %H:%M:%S}"
    assert render.moment(None) == "-"


def test_a_table_is_aligned_and_has_no_trailing_spaces() -> None:
    answer = render.table([">SIZE", "NAME", "NOTE"], [("1 B", "a", ""), ("12 B", "long", "x")], [])
    assert answer.text() == "SIZE  NAME  NOTE\n 1 B  a\n12 B  long  x\n"


def test_a_table_counts_the_cells_of_a_terminal() -> None:
    answer = render.table(["NAME", "N"], [("文件", "1"), ("abcd", "2")], [])
    assert answer.text() == "NAME  N\n文件  1\nabcd  2\n"


def test_one_long_cell_does_not_widen_the_column() -> None:
    long = "x" * 60
    answer = render.table(["NAME", "N"], [(long, "1"), ("ab", "2")], [])
    assert answer.text() == f"NAME  N\n{long}  1\nab    2\n"


def test_an_empty_table_says_nothing() -> None:
    assert render.table(["NAME"], [], []).text() == ""


def test_facts_leave_out_what_is_not_there() -> None:
    answer = render.facts([("size", "1 B"), ("note", ""), ("modified", "now")], {})
    assert answer.text() == "size      1 B\nmodified  now\n"


def test_names_do_nothing_to_a_terminal() -> None:
    assert render.clean("plain ü 文件 🚀") == "plain ü 文件 🚀"
    assert render.clean("a\x1b[31m\nb\tc\u202e\x9b") == r"a\x1b[31m\nb\tc\u202e\x9b"
    assert "\x1b" not in render.table(["N"], [("\x1b]0;x\x07",)], []).text()


def test_json_is_exact_and_unicode_is_itself() -> None:
    data = {"name": "ü\n", "size": 10_000_000}
    assert json.loads(render.document(data)) == data
    assert "ü" in render.document(data)
    assert render.line(data).count("\n") == 1


def test_an_object_as_data_has_every_key_whatever_it_is() -> None:
    plain = ObjectInfo(name="a", bucket="b", nuid="n", size=3, chunks=1, digest="SHA-256=x")
    link = ObjectInfo(
        name="l",
        bucket="b",
        nuid="n",
        options=ObjectMetaOptions(link=ObjectLink(bucket="other", name=None)),
    )
    assert render.object_data(plain).keys() == render.object_data(link).keys()
    assert render.object_data(plain)["size"] == 3
    assert render.object_data(link)["link"] == {"bucket": "other", "name": None}
    json.dumps([render.object_data(plain), render.object_data(link)])
