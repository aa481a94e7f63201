"""Purge many messages in portions, so that other requests for the bucket wait for one of these.

While a server purges messages from its files, it reads the files and answers no other request for
the stream: 10 GiB took four seconds (docs/decisions/0025).
"""

from __future__ import annotations

from time import monotonic
from typing import Final

from jetstow._core.bucket.purge_request import Purged
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import TimeoutError

# The messages and bytes of a portion. A server purges about 2 GiB a second from its cache.
MAX_PORTION_MESSAGES: Final = 1_000
MAX_PORTION_BYTES: Final = 128 * 1024 * 1024

# From a slow disk, a portion takes longer. Smaller ones follow then, down to a part of the first.
MAX_PORTION_TIME: Final = 0.5
_SMALLEST_PART: Final = 8


def portion_size(stream: Stream, message_size: int) -> int:
    """Return how many messages of a size, in bytes, are purged by one request."""
    size = max(1, min(message_size, stream.max_message_size))
    return max(1, min(MAX_PORTION_MESSAGES, MAX_PORTION_BYTES // size))


async def purge_subject(
    stream: Stream,
    context: ErrorContext,
    subject: str,
    count: int,
    message_size: int,
    *,
    below: int | None = None,
) -> Purged:
    """Purge the messages of a subject, oldest first.

    `count` and `message_size` are what is expected, and decide on the number of portions. With
    `below`, the messages from that sequence on remain.

    Raises: `TimeoutError` (the server answers no request).
    """
    portion = portion_size(stream, message_size)
    if count > portion:
        # Another client's metadata may state any number.
        count = await stream.count_messages(context, subject)
    largest, smallest = portion, max(1, portion // _SMALLEST_PART)
    purged, was_resent, keep = 0, False, count
    while True:
        keep, begun = max(0, keep - portion), monotonic()
        part = await _purge_portion(stream, context, subject, keep, below)
        purged += part.count
        was_resent |= part.was_resent
        if not keep:
            return Purged(purged, was_resent)
        is_slow = monotonic() - begun > MAX_PORTION_TIME
        portion = max(smallest, portion // 2) if is_slow else min(largest, portion * 2)


async def _purge_portion(
    stream: Stream, context: ErrorContext, subject: str, keep: int, below: int | None
) -> Purged:
    """Purge all messages except the last `keep` ones, as long as the server makes progress."""
    remaining: int | None = None
    while True:
        try:
            # A request has one of the two bounds.
            return await stream.purge(context, subject, below=None if keep else below, keep=keep)
        except TimeoutError:
            before, remaining = remaining, await stream.count_messages(context, subject)
            if remaining <= keep and below is None:
                return Purged(0, was_resent=True)
            if before is not None and remaining >= before:
                raise
