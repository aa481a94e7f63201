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
_URL_SAFE: Final = re.compile("[A-Za-z0-9/._~*-]*")
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
    """Return nanoseconds since 1970 in the same form, in a tenth of the time."""
    seconds, nanoseconds = divmod(time, 1_000_000_000)
    return f"{_format_second(seconds)}.{nanoseconds // 1_000_000:03}Z"


@lru_cache(maxsize=16_384)  # objects are often written in the same second, and listed again
def _format_second(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()[:19]


def url_encoded(value: str) -> str:
    """Return a key or prefix for `encoding-type=url`."""
    return value if _URL_SAFE.fullmatch(value) else quote(value, safe="/-_.~*")
