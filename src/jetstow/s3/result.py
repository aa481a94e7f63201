"""What an operation returns. The application renders it (`responder`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Result:
    """The result of an operation: status, headers, and a body.

    `xml` is a document (`xml.writing.document`). `stream` yields a body; if its size is known,
    `headers` have `content-length`. An error of the stream closes the connection, so that the
    client does not take the bytes for a whole body.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    xml: str | None = None
    stream: AsyncIterator[bytes] | None = None


def no_content(headers: dict[str, str] | None = None) -> Result:
    """Return the result of a delete: 204."""
    return Result(204, headers or {})
