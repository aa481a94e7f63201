"""Preconditions and ranges, in the order of RFC 9110, 13.2.2."""

from __future__ import annotations

import datetime

import pytest

from jetstow.http import Selection, condition_headers, select
from jetstow.http.preconditions import failed_precondition

ETAG = '"now"'
MODIFIED = datetime.datetime(2024, 5, 17, 12, 0, 0, 750_000, tzinfo=datetime.UTC)
BEFORE = "Fri, 17 May 2024 11:59:59 GMT"
SAME = "Fri, 17 May 2024 12:00:00 GMT"
AFTER = "Fri, 17 May 2024 12:00:01 GMT"
SIZE = 10

WHOLE = Selection(200, 0, SIZE, SIZE)


def choose(method: str = "GET", size: int = SIZE, /, **headers: str) -> Selection:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return select(method, fields, etag=ETAG, modified=MODIFIED, size=size)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if_match": ETAG}, 200),
        ({"if_match": '"old", "now"'}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"old"'}, 412),
        ({"if_match": 'W/"now"'}, 412),
        ({"if_match": ""}, 412),
        ({"if_unmodified_since": BEFORE}, 412),
        ({"if_unmodified_since": SAME}, 200),
        ({"if_unmodified_since": AFTER}, 200),
        ({"if_unmodified_since": "never"}, 200),
        ({"if_none_match": ETAG}, 304),
        ({"if_none_match": 'W/"now"'}, 304),
        ({"if_none_match": '"old", "now"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"old"'}, 200),
        ({"if_modified_since": BEFORE}, 200),
        ({"if_modified_since": SAME}, 304),
        ({"if_modified_since": AFTER}, 304),
        ({"if_modified_since": "never"}, 200),
        # If-Match takes precedence over If-Unmodified-Since, If-None-Match over
        # If-Modified-Since, and the first pair over the second.
        ({"if_match": ETAG, "if_unmodified_since": BEFORE}, 200),
        ({"if_match": '"old"', "if_unmodified_since": AFTER}, 412),
        ({"if_none_match": '"old"', "if_modified_since": AFTER}, 200),
        ({"if_none_match": ETAG, "if_modified_since": BEFORE}, 304),
        ({"if_match": '"old"', "if_none_match": ETAG}, 412),
        ({"if_match": ETAG, "if_none_match": ETAG}, 304),
        ({"if_unmodified_since": BEFORE, "if_none_match": ETAG}, 412),
        ({"if_unmodified_since": SAME, "if_modified_since": SAME}, 304),
    ],
)
def test_preconditions(method: str, headers: dict[str, str], status: int) -> None:
    assert choose(method, **headers).status == status


@pytest.mark.parametrize("headers", [{"if-modified-since": AFTER}, {"if-unmodified-since": BEFORE}])
def test_dates_without_a_modification_date_are_ignored(headers: dict[str, str]) -> None:
    assert failed_precondition(headers, etag=ETAG, modified=None) is None


def test_range_has_its_bytes() -> None:
    part = choose(range="bytes=2-4")
    assert part == Selection(206, 2, 5, SIZE)
    assert (part.length, part.content_range) == (3, "bytes 2-4/10")


def test_range_without_bytes_is_not_satisfiable() -> None:
    part = choose(range="bytes=10-")
    assert (part.status, part.length, part.content_range) == (416, 0, "bytes */10")
    assert choose("GET", 0, range="bytes=0-").content_range == "bytes */0"


def test_whole_object_has_no_content_range() -> None:
    assert choose() == WHOLE
    assert choose().content_range is None


@pytest.mark.parametrize("value", ["bytes=4-2", "bytes=0-1,3-4", "items=0-1", "x"])
def test_range_to_ignore(value: str) -> None:
    assert choose(range=value) == WHOLE


def test_range_of_head_is_ignored() -> None:
    assert choose("HEAD", range="bytes=2-4") == WHOLE
    assert choose("HEAD", range="bytes=10-") == WHOLE


@pytest.mark.parametrize(
    ("condition", "applies"),
    [
        (ETAG, True),
        ("now", True),
        ('"old"', False),
        ('W/"now"', False),
        ("*", False),
        ("", False),
        (SAME, True),
        (BEFORE, False),
        (AFTER, False),
        ("Friday, 17-May-24 12:00:00 GMT", False),
    ],
)
def test_if_range(condition: str, applies: bool) -> None:
    expected = Selection(206, 2, 5, SIZE) if applies else WHOLE
    assert choose(range="bytes=2-4", if_range=condition) == expected
    # Not satisfiable, either, if it is ignored.
    assert choose(range="bytes=10-", if_range=condition).status == (416 if applies else 200)


def test_if_range_without_a_range_is_ignored() -> None:
    assert choose(if_range='"old"') == WHOLE


def test_precondition_comes_before_the_range() -> None:
    assert choose(range="bytes=10-", if_none_match=ETAG).status == 304
    assert choose(range="bytes=10-", if_match='"old"').status == 412
    assert choose(range="bytes=2-4", if_match=ETAG).status == 206


def test_headers_of_a_scope() -> None:
    """Lists may be in several headers. Of others, none is certain: all are ignored."""
    raw = [
        (b"Host", b"a"),
        (b"If-None-Match", b'"a"'),
        (b"if-none-match", b'"b"'),
        (b"range", b"bytes=0-1"),
        (b"range", b"bytes=0-2"),
        (b"if-range", b"\xe9"),
    ]
    assert condition_headers(raw) == {"if-none-match": '"a", "b"', "if-range": "\xe9"}
