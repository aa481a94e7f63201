"""What a server gives back of a bucket that was deleted, and had better not.

It removes a deleted bucket's files in the background. A bucket that is deleted and made, and
deleted and made again within moments may find them where it wants its own: then all that was
deleted is in it (docs/decisions/0019).
"""

from __future__ import annotations

import logging
from typing import Any, Final

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.timestamps import parse_timestamp

_log = logging.getLogger("jetstow.store")

_EVERYTHING: Final = ">"
_SECOND: Final = 10**9


async def purge_stale_data(stream: Stream, made: dict[str, Any], elapsed: float) -> None:
    """Drop what was in a bucket before it was made.

    `made` is the server's answer to the request that made it, which took `elapsed` seconds.
    What others have put into the bucket since comes later in it, and stays.
    """
    if has_stale_data(made, elapsed):
        state = made["state"]
        _log.warning("bucket %r was made with %d old messages", stream.bucket, state["messages"])
        await stream.purge(stream.error_context(), _EVERYTHING, below=state["last_seq"] + 1)


def has_stale_data(made: dict[str, Any], elapsed: float) -> bool:
    """Whether the bucket was made just now, and all of its messages are older.

    The server answers in the same way where the bucket was there already, but then it was
    made before it was asked to. Servers of a cluster have a clock each, so that nothing can
    be said there; nor have they been seen to give anything back.
    """
    state = made.get("state") or {}
    if made.get("cluster") or not made.get("ts") or not state.get("messages"):
        return False
    begun, told = parse_timestamp(made["created"]), parse_timestamp(made["ts"])
    return 0 <= told - begun <= elapsed * _SECOND and parse_timestamp(state["last_ts"]) < begun
