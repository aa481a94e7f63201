"""Ephemeral consumers of a bucket's stream."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.context import ErrorContext
from jetstow.errors import JetstowError

# The server forgets a consumer that nobody has pulled from for so long, in nanoseconds.
_INACTIVE_THRESHOLD: Final = 30 * 10**9


def start_at(seq: int) -> dict[str, Any]:
    """The part of a consumer's configuration that lets it begin at a sequence."""
    return {"deliver_policy": "by_start_sequence", "opt_start_seq": max(1, seq)}


async def create_consumer(
    stream: Stream, context: ErrorContext, subject: str, **config: object
) -> dict[str, Any]:
    """An ephemeral consumer of a subject's messages, to be pulled from; the server's answer."""
    config |= {
        "ack_policy": "none",
        "filter_subject": subject,
        "inactive_threshold": _INACTIVE_THRESHOLD,
        "mem_storage": True,
        "num_replicas": 1,
    }
    body = {"stream_name": stream.name, "config": config}
    return await stream.api.request(context, f"CONSUMER.CREATE.{stream.name}", body)


async def delete_consumer(stream: Stream, context: ErrorContext, name: str) -> None:
    """Leave it not behind. It ends by itself as well: a failure here is nobody's trouble."""
    with contextlib.suppress(JetstowError):
        await stream.api.request(context, f"CONSUMER.DELETE.{stream.name}.{name}")
