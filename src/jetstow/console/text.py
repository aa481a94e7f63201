"""The beginning of an object as text."""

from __future__ import annotations

import codecs
from typing import Final

import msgspec

from jetstow import ObjectReader

# How many bytes are read by default, and at most.
DEFAULT_LIMIT: Final = 256 * 1024
MAX_LIMIT: Final = 1024 * 1024

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Text(msgspec.Struct):
    """The beginning of an object of `size` bytes. `truncated`: the object has more."""

    text: str
    truncated: bool
    size: int


async def read_text(reader: ObjectReader, limit: int) -> Text:
    """Read the first bytes of an object as UTF-8, or as UTF-16 with a byte order mark.

    What is not valid becomes U+FFFD.

    Raises: what `read_at` raises.
    """
    size = reader.info.size or 0
    data = await reader.read_at(0, min(limit, size))
    truncated = size > len(data)
    return Text(decode(data, final=not truncated), truncated, size)


def decode(data: bytes, *, final: bool) -> str:
    """Return bytes as text. Unless they are `final`, a character that they end in is dropped."""
    mark, encoding = next((each for each in _MARKS if data.startswith(each[0])), (b"", "utf-8"))
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return decoder.decode(data[len(mark) :], final)
