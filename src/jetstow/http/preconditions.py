"""Preconditions of a GET or HEAD, and the part of the object that it selects (RFC 9110)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from jetstow.http.dates import format_date, parse_date
from jetstow.http.etags import matches_strongly, matches_weakly
from jetstow.http.ranges import parse_range

# The headers that `select` reads. Only the first two are lists: others must not be repeated.
_LISTS: Final = frozenset({"if-match", "if-none-match"})
_CONDITIONS: Final = _LISTS | {"if-modified-since", "if-unmodified-since", "if-range", "range"}
_REVALIDATING: Final = frozenset({"if-none-match", "if-modified-since"})


@dataclass(frozen=True, slots=True)
class Selection:
    """The status of a response, and the bytes of the object that it has.

    `status` is 200, 206, 304, 412 or 416. The bytes are those from `start` to `stop`, which is not
    included; none for the last three.
    """

    status: int
    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        """The number of selected bytes."""
        return self.stop - self.start

    @property
    def content_range(self) -> str | None:
        """The Content-Range header of the statuses 206 and 416."""
        if self.status == HTTPStatus.PARTIAL_CONTENT:
            return f"bytes {self.start}-{self.stop - 1}/{self.size}"
        if self.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return f"bytes */{self.size}"
        return None


def condition_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the preconditions and the range in the headers of an ASGI scope."""
    found: dict[str, list[str]] = {}
    for raw_name, value in raw:
        name = raw_name.decode("latin-1").lower()
        if name in _CONDITIONS:
            found.setdefault(name, []).append(value.decode("latin-1"))
    return {
        name: ", ".join(values)
        for name, values in found.items()
        if len(values) == 1 or name in _LISTS
    }


def needs_bytes(method: str, headers: Mapping[str, str]) -> bool:
    """Return whether the response to a request probably has bytes of the object: not a 304."""
    return method == "GET" and _REVALIDATING.isdisjoint(headers)


def select(
    method: str,
    headers: Mapping[str, str],
    *,
    etag: str,
    modified: datetime.datetime | None,
    size: int,
) -> Selection:
    """Evaluate the preconditions and the range of a request, in the order of RFC 9110, 13.2.2.

    `headers` have names in lower case. `etag` is quoted. A range applies to GET only.
    """
    whole = Selection(HTTPStatus.OK, 0, size, size)
    if (status := failed_precondition(headers, etag=etag, modified=modified)) is not None:
        return Selection(status, 0, 0, size)
    if method != "GET" or "range" not in headers or not _range_applies(headers, etag, modified):
        return whole
    if (part := parse_range(headers["range"], size)) is None:
        return whole
    if part.start == part.stop:
        return Selection(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, 0, size)
    return Selection(HTTPStatus.PARTIAL_CONTENT, part.start, part.stop, size)


def failed_precondition(
    headers: Mapping[str, str], *, etag: str, modified: datetime.datetime | None
) -> int | None:
    """Return 304 or 412 if a precondition of a GET or HEAD fails, else None."""
    if (condition := headers.get("if-match")) is not None:
        if not matches_strongly(condition, etag):
            return HTTPStatus.PRECONDITION_FAILED
    elif (since := _compared_date(headers, "if-unmodified-since", modified)) and since < 0:
        return HTTPStatus.PRECONDITION_FAILED
    if (condition := headers.get("if-none-match")) is not None:
        if matches_weakly(condition, etag):
            return HTTPStatus.NOT_MODIFIED
        return None
    since = _compared_date(headers, "if-modified-since", modified)
    return HTTPStatus.NOT_MODIFIED if since is not None and since >= 0 else None


def _compared_date(
    headers: Mapping[str, str], name: str, modified: datetime.datetime | None
) -> float | None:
    """Return how many seconds a header's date is after the last change, to whole seconds.

    None if one of them is unknown: the header is to be ignored.
    """
    date = parse_date(headers.get(name, ""))
    if date is None or modified is None:
        return None
    return (date - modified.replace(microsecond=0)).total_seconds()


def _range_applies(
    headers: Mapping[str, str], etag: str, modified: datetime.datetime | None
) -> bool:
    """Return whether If-Range, if there is one, is the current entity tag or date."""
    condition = headers.get("if-range", "").strip()
    if not condition:
        return "if-range" not in headers
    if '"' in condition or parse_date(condition) is None:
        return condition != "*" and matches_strongly(condition, etag)
    return modified is not None and condition == format_date(modified)
