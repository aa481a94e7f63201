"""XML as text. A page of 1,000 keys takes a tenth of the time that a tree takes (decision 0036)."""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

# The characters that text must escape. XML 1.0 has no other control characters than tab, LF, CR;
# S3 escapes the others all the same, and clients ask for `encoding-type=url` because of that.
_SPECIAL: Final = re.compile('[&<>"\x00-\x1f\ufffe\uffff\ud800-\udfff]')
_DAY: Final = 24 * 3_600_000
_EPOCH: Final = datetime.date(1970, 1, 1)
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "\t", "\n": "\n"}


def escape(text: str) -> str:
    """Return text for use in an element or an attribute."""
    return _SPECIAL.sub(_escape_character, text) if _SPECIAL.search(text) else text


def _escape_character(match: re.Match[str]) -> str:
    character = match.group()
    return _ENTITIES.get(character) or f"&#x{ord(character):X};"


def text(name: str, value: object) -> str:
    """Return an element with text: a bool as true or false, None as no element."""
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, datetime.datetime):
        value = format_time(value)
    return f"<{name}>{escape(str(value))}</{name}>"


def element(name: str, *children: str) -> str:
    """Return an element with child elements, which are markup already."""
    return f"<{name}>{''.join(children)}</{name}>"


def document(name: str, *children: str) -> str:
    """Return a document in S3's namespace."""
    return f'{DECLARATION}<{name} xmlns="{NAMESPACE}">{"".join(children)}</{name}>'


def plain_document(name: str, *children: str) -> str:
    """Return a document without a namespace."""
    return DECLARATION + element(name, *children)


def error_document(
    code: str, message: str, resource: str, request_id: str, **fields: object
) -> str:
    """Return the document of an error, which has no namespace."""
    children = (
        text("Code", code),
        text("Message", message),
        *(text(name, value) for name, value in fields.items()),
        text("Resource", resource),
        text("RequestId", request_id),
    )
    return plain_document("Error", *children)


def format_time(time: datetime.datetime) -> str:
    """Return a time as S3's XML has it: UTC, milliseconds."""
    text = time.astimezone(datetime.UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def format_nanoseconds(time: int) -> str:
    """Return nanoseconds since 1970 in the same form, in a fifth of the time."""
    milliseconds = time // 1_000_000
    days, rest = divmod(milliseconds, _DAY)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    seconds, rest = divmod(rest, 1_000)
    return f"{_format_day(days)}T{hours:02}:{minutes:02}:{seconds:02}.{rest:03}Z"


@lru_cache(maxsize=1024)
def _format_day(days: int) -> str:
    return (_EPOCH + datetime.timedelta(days)).isoformat()


def url_encoded(value: str) -> str:
    """Return a key or prefix for `encoding-type=url`."""
    return quote(value, safe="/-_.~*")
