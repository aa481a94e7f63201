"""The clock of the server, which dates messages and lets objects expire.

The clock of the client may be wrong, and it may jump while a transfer runs.
"""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass
from typing import Any, Self

from jetstow._core.bucket.consumer import create_consumer, delete_consumer
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.timestamps import parse_timestamp

_SECOND = 10**9


@dataclass(frozen=True, slots=True)
class ServerClock:
    """The server's time at one instant, continued by the client's monotonic clock."""

    time: datetime.datetime
    read_at: float

    @classmethod
    async def read(cls, stream: Stream) -> Self:
        """Read the server's time: one request.

        Raises: `BucketNotFoundError`, `ConnectionLostError`, `TimeoutError`.
        """
        nanoseconds = await server_time(stream, await stream.info())
        read = datetime.datetime.fromtimestamp(nanoseconds / _SECOND, datetime.UTC)
        return cls(read, time.monotonic())

    def now(self) -> datetime.datetime:
        """Return the server's current time."""
        return self.time + datetime.timedelta(seconds=time.monotonic() - self.read_at)


async def server_time(stream: Stream, info: dict[str, Any]) -> int:
    """Return the server's current time, in nanoseconds; `info` is the stream's.

    Servers before 2.10 report it only as the creation time of a new consumer.
    """
    if (timestamp := info.get("ts")) is None:
        context, pattern = stream.error_context(), subjects.all_meta_subject(stream.subject_bucket)
        response = await create_consumer(stream, context, pattern, deliver_policy="new")
        await delete_consumer(stream, context, str(response["name"]))
        timestamp = response["created"]
    return parse_timestamp(str(timestamp))
