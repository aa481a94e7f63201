"""HTTP dates (RFC 9110, 5.6.7)."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetstow.http.dates import format_date, parse_date

TIME = datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 10:49:37 +0200",
    ],
)
def test_date_in_each_format(text: str) -> None:
    assert parse_date(text) == TIME


@pytest.mark.parametrize(
    "text", ["", " ", "yesterday", "Sun, 36 Nov 1994 08:49:37 GMT", "0", "1994-11-06", "9" * 5_000]
)
def test_other_text_is_no_date(text: str) -> None:
    assert parse_date(text) is None


def test_leap_second_is_valid() -> None:
    assert parse_date("Sat, 31 Dec 2016 23:59:60 GMT") is not None


def test_format_is_in_gmt_and_truncated() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    time = TIME.replace(microsecond=999_999).astimezone(zone)
    assert format_date(time) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert parse_date(format_date(time)) == TIME


@given(st.text() | st.text("0123456789:,-+ GMTSunNov"))
def test_any_text_can_be_parsed(text: str) -> None:
    parse_date(text)
