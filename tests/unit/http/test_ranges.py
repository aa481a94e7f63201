"""Byte ranges (RFC 9110, 14.1.2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow.http.ranges import ByteRange, parse_range


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-9", (0, 10)),
        ("bytes=2-5", (2, 6)),
        ("bytes=2-", (2, 10)),
        ("bytes=9-", (9, 10)),
        ("bytes=2-99", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-10", (0, 10)),
        ("bytes=-99", (0, 10)),
        ("BYTES=2-5", (2, 6)),
        ("bytes= 2-5 ", (2, 6)),
        ("bytes=,2-5,", (2, 6)),
        (f"bytes=0-{'9' * 999}", (0, 10)),
    ],
)
def test_range_with_bytes(text: str, expected: tuple[int, int]) -> None:
    assert parse_range(text, 10) == ByteRange(*expected)


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=10-20", f"bytes={'9' * 999}-", "bytes=-0"])
def test_range_without_bytes(text: str) -> None:
    assert parse_range(text, 10) == ByteRange(10, 10)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=1-2,4-5",
        "bytes=1-2, -1",
        "bytes=1 - 2",
        "bytes=--1",
        "bytes=+1-2",
        "bytes=\u0661-",
        "items=0-1",
        "0-1",
        f"bytes={'9' * 5_000}-",
    ],
)
def test_range_to_ignore(text: str) -> None:
    assert parse_range(text, 10) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("bytes=0-", ByteRange(0, 0)), ("bytes=0-9", ByteRange(0, 0)), ("bytes=-0", ByteRange(0, 0))],
)
def test_empty_object(text: str, expected: ByteRange) -> None:
    assert parse_range(text, 0) == expected


def test_suffix_of_an_empty_object_is_ignored() -> None:
    """It is satisfiable, but Content-Range cannot express a range without bytes."""
    assert parse_range("bytes=-5", 0) is None


@given(st.text() | st.text("bytes=0123456789-, "), st.integers(0, 10**15))
def test_range_is_within_the_object(text: str, size: int) -> None:
    for value in (text, f"bytes={text}"):
        if (found := parse_range(value, size)) is not None:
            assert 0 <= found.start <= found.stop <= size
