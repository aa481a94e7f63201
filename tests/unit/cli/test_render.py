"""Results as text and as JSON."""

from __future__ import annotations

import datetime
import json

import pytest

from jetstow import ObjectInfo, ObjectLink, ObjectMetaOptions
from jetstow.cli import change_summary, render
from jetstow.cli.json_data import object_data


@pytest.mark.parametrize(
    ("size", "text"),
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
def test_size(size: int, text: str) -> None:
    assert render.format_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, ""), (30 * 86400, "30d"), (5400, "1h30m"), (0.2, "0.2s"), (90061, "1d1h1m1s")],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert render.format_duration(seconds) == text


def test_time_in_the_local_zone() -> None:
    time = datetime.datetime(2024, 5, 1, 12, 30, 15, 987654, tzinfo=datetime.UTC)
    assert render.format_time(time) == f"{time.astimezone():%Y-%m-%d %H:%M:%S}"
    assert render.format_time(None) == "-"


def test_table_without_trailing_spaces() -> None:
    result = render.table([">SIZE", "NAME", "NOTE"], [("1 B", "a", ""), ("12 B", "long", "x")], [])
    assert result.text() == "SIZE  NAME  NOTE\n 1 B  a\n12 B  long  x\n"


def test_table_with_wide_characters() -> None:
    result = render.table(["NAME", "N"], [("文件", "1"), ("abcd", "2")], [])
    assert result.text() == "NAME  N\n文件  1\nabcd  2\n"


def test_table_with_one_long_cell() -> None:
    long = "x" * 60
    result = render.table(["NAME", "N"], [(long, "1"), ("ab", "2")], [])
    assert result.text() == f"NAME  N\n{long}  1\nab    2\n"


def test_empty_table() -> None:
    assert render.table(["NAME"], [], []).text() == ""


def test_details_without_empty_values() -> None:
    result = render.details([("size", "1 B"), ("note", ""), ("modified", "now")], {})
    assert result.text() == "size      1 B\nmodified  now\n"


def test_control_characters_are_escaped() -> None:
    assert render.printable("plain ü 文件 🚀") == "plain ü 文件 🚀"
    assert render.printable("a\x1b[31m\nb\tc\u202e\x9b") == r"a\x1b[31m\nb\tc\u202e\x9b"
    assert "\x1b" not in render.table(["N"], [("\x1b]0;x\x07",)], []).text()


def test_json_of_large_numbers_and_unicode() -> None:
    data = {"name": "ü\n", "size": 10_000_000}
    assert json.loads(render.json_document(data)) == data
    assert "ü" in render.json_document(data)
    assert render.json_line(data).count("\n") == 1


def test_json_keys_of_an_object_and_a_link() -> None:
    plain = ObjectInfo(name="a", bucket="b", nuid="n", size=3, chunks=1, digest="SHA-256=x")
    link = ObjectInfo(
        name="l",
        bucket="b",
        nuid="n",
        options=ObjectMetaOptions(link=ObjectLink(bucket="other", name=None)),
    )
    assert object_data(plain).keys() == object_data(link).keys()
    assert object_data(plain)["size"] == 3
    assert object_data(link)["link"] == {"bucket": "other", "name": None}
    json.dumps([object_data(plain), object_data(link)])


def test_summary_of_changes() -> None:
    done = [("copy", "2 files"), ("delete", "1")]
    assert change_summary.summarize(done, dry_run=False) == "copied 2 files, deleted 1"
    assert change_summary.summarize(done, dry_run=True) == "would copy 2 files, delete 1"
    assert change_summary.list_planned("copy", {"b", "a\n"}) == ["would copy a\\n", "would copy b"]
