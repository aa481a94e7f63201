"""Stale messages in a new bucket, which the server recovered from a deleted bucket of that name.

The server removes the files of a deleted stream in the background. If a bucket is deleted and
created twice within moments, the new stream may find these files and recover their messages
(docs/decisions/0019).
"""

from __future__ import annotations

import logging
from typing import Any, Final

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.timestamps import parse_timestamp

_log = logging.getLogger("jetstow.store")

_EVERYTHING: Final = ">"
_SECOND: Final = 10**9


async def purge_stale_data(stream: Stream, response: dict[str, Any], elapsed: float) -> None:
    """Purge the messages that a bucket contained when it was created.

    `response` is the response to the request that created it, which took `elapsed` seconds.
    Messages that other clients have published since have higher sequences, and remain.
    """
    if has_stale_data(response, elapsed):
        state = response["state"]
        _log.warning("new bucket %r contains %d old messages", stream.bucket, state["messages"])
        await stream.purge(stream.error_context(), _EVERYTHING, below=state["last_seq"] + 1)


def has_stale_data(response: dict[str, Any], elapsed: float) -> bool:
    """Return whether the bucket was created by this request and all its messages are older.

    The response is the same for a bucket that exists with this configuration, but that was created
    before the request. In a cluster the times come from different clocks, so this returns False;
    stale messages were not seen there.
    """
    state = response.get("state") or {}
    if response.get("cluster") or not response.get("ts") or not state.get("messages"):
        return False
    created, now = parse_timestamp(response["created"]), parse_timestamp(response["ts"])
    return 0 <= now - created <= elapsed * _SECOND and parse_timestamp(state["last_ts"]) < created
