"""What an operation returns. The application renders it (`responder`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from jetstow.http import ObjectResponse


@dataclass(slots=True)
class Result:
    """The result of an operation: status, headers, and a body.

    The body is one of: `xml`, a document (`xml.writing.document`); `text` of a `media_type`;
    `response`, an object with its headers (`jetstow.http`); `stream`, which yields bytes. An error
    of the last two closes the connection, so that the client does not take the bytes for a whole
    body.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    xml: str | None = None
    text: str | None = None
    media_type: str = "application/json"
    response: ObjectResponse | None = None
    stream: AsyncGenerator[bytes, None] | None = None


def no_content(headers: dict[str, str] | None = None) -> Result:
    """Return the result of a delete: 204."""
    return Result(204, headers or {})
