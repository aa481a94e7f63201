"""Byte ranges of a GET (RFC 9110, section 14)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

# One range. Several are valid, too: a server may ignore them and send everything.
_RANGE: Final = re.compile(
    r"bytes=[ \t,]*(?:([0-9]{1,1000})-([0-9]{0,1000})|-([0-9]{1,1000}))[ \t,]*", re.IGNORECASE
)


class ByteRange(NamedTuple):
    """The bytes from `start` to `stop`, which is not included. It is empty if none exist."""

    start: int
    stop: int


def parse_range(text: str, size: int) -> ByteRange | None:
    """Return the range that a Range header selects of `size` bytes.

    None means that the header is to be ignored: it is malformed, has another unit than bytes or
    several ranges, or is a suffix of an object without bytes. An empty range cannot be satisfied.
    """
    if (match := _RANGE.fullmatch(text.strip())) is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        length = min(int(suffix), size)
        # Content-Range cannot express that a range has no bytes.
        return None if not size and int(suffix) else ByteRange(size - length, size)
    start, stop = int(first), size
    if last:
        if int(last) < start:
            return None
        stop = min(int(last) + 1, size)
    return ByteRange(start, stop) if start < stop else ByteRange(size, size)
