"""Ephemeral consumers on a bucket's stream. A cancelled caller leaves none behind."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from jetstow._core.aio.cancellation import CLEANUP_GRACE, uncancelled
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import JetstowError

# The server deletes a consumer without pull requests after this time, in nanoseconds.
_INACTIVE_THRESHOLD: Final = 30 * 10**9


def start_at(seq: int) -> dict[str, Any]:
    """Return the part of a consumer's configuration that starts it at a sequence."""
    return {"deliver_policy": "by_start_sequence", "opt_start_seq": max(1, seq)}


async def create_consumer(
    stream: Stream, context: ErrorContext, subject: str, **config: object
) -> dict[str, Any]:
    """Create an ephemeral pull consumer of a subject, and return the server's response."""
    config |= {
        "ack_policy": "none",
        "filter_subject": subject,
        "inactive_threshold": _INACTIVE_THRESHOLD,
        "mem_storage": True,
        "num_replicas": 1,
    }
    return await request_consumer(stream, context, config)


async def request_consumer(
    stream: Stream, context: ErrorContext, config: dict[str, Any]
) -> dict[str, Any]:
    """Create a consumer of any kind, and return the server's response.

    If the caller is cancelled in the meantime, the consumer is deleted again.
    """
    body = {"stream_name": stream.name, "config": config}
    reply: dict[str, Any] = {}

    async def create() -> None:
        reply.update(await stream.api.request(context, f"CONSUMER.CREATE.{stream.name}", body))

    try:
        await uncancelled(create(), CLEANUP_GRACE)
    except asyncio.CancelledError:
        if reply:
            await delete_consumer(stream, context, str(reply["name"]))
        raise
    return reply


async def delete_consumer(stream: Stream, context: ErrorContext, name: str) -> None:
    """Delete a consumer; ignore errors, as the server deletes an inactive consumer anyway."""
    deletion = stream.api.request(context, f"CONSUMER.DELETE.{stream.name}.{name}")
    with contextlib.suppress(JetstowError):
        await uncancelled(deletion, CLEANUP_GRACE)
