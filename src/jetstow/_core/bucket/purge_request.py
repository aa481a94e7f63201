"""One purge request, and its result."""

from __future__ import annotations

from dataclasses import dataclass

from jetstow._core.protocol.api_errors import decode_response
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.transport.jetstream_api import JetStreamAPI


@dataclass(frozen=True, slots=True)
class Purged:
    """The number of purged messages, and whether the request was sent more than once.

    If it was, an earlier one may have purged messages that `count` does not include.
    """

    count: int
    was_resent: bool


async def request_purge(
    api: JetStreamAPI, context: ErrorContext, stream_name: str, body: dict[str, object]
) -> Purged:
    """Purge messages of a stream, with retries."""
    subject, payload = f"{api.prefix}.STREAM.PURGE.{stream_name}", json_encode(body)
    requests = 0

    async def purge() -> int:
        nonlocal requests
        requests += 1
        reply = await api.send_request(context, subject, payload)
        return int(decode_response(context, reply).get("purged", 0))

    count = await api.retry(context, purge)
    return Purged(count, requests > 1)
