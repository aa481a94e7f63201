"""Purge the chunks of failed uploads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from jetstow._core.bucket.purge import portion_size, purge_subject
from jetstow._core.bucket.stream import Stream
from jetstow._core.maintain.scan import MessageInfo

_MAX_CONCURRENT_PURGES: Final = 64


async def purge_uploads(
    stream: Stream, last_chunks: Iterable[MessageInfo], counts: dict[str, int]
) -> list[int]:
    """Purge uploads up to their last chunks. Return the number of purged chunks of each.

    `counts` has about the number of chunks on each subject.
    """
    context, size = stream.error_context(), stream.max_message_size  # chunk sizes are not known

    async def purge(chunk: MessageInfo) -> int:
        count, below = counts.get(chunk.subject, 0), chunk.seq + 1
        return (await purge_subject(stream, context, chunk.subject, count, size, below=below)).count

    small: list[MessageInfo] = []
    large: list[MessageInfo] = []
    for chunk in last_chunks:
        is_large = counts.get(chunk.subject, 0) > portion_size(stream, size)
        (large if is_large else small).append(chunk)
    purged = []
    for start in range(0, len(small), _MAX_CONCURRENT_PURGES):
        batch = small[start : start + _MAX_CONCURRENT_PURGES]
        purged += await asyncio.gather(*map(purge, batch))
    # Concurrent portions would make other requests wait for all of them.
    return purged + [await purge(chunk) for chunk in large]
