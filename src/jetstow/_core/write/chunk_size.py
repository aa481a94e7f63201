"""The size of the chunks of a new object."""

from __future__ import annotations

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import DEFAULT_CHUNK_SIZE
from jetstow.errors import InvalidOptionError


def select_chunk_size(
    stream: Stream, context: ErrorContext, requested: object, header_size: int
) -> int:
    """Return the chunk size in bytes: as requested, or 128 KiB (ADR-20).

    A chunk and its headers must fit the server's `max_payload` and the stream's `max_msg_size`.
    """
    limit = stream.max_message_size
    largest = max(1, limit - header_size)
    if requested is None:
        return min(DEFAULT_CHUNK_SIZE, largest)
    is_number = isinstance(requested, int) and not isinstance(requested, bool)
    if not is_number or not 1 <= requested <= limit:  # type: ignore[operator]
        max_payload = stream.api.nc.max_payload
        source = "the server's max_payload" if limit == max_payload else "the stream's max_msg_size"
        raise context.error(
            InvalidOptionError,
            f"max_chunk_size of {context} must be 1 to {limit} bytes ({source}), not {requested!r}",
        )
    return min(requested, largest)  # type: ignore[call-overload]
