"""Answer 503 while the NATS servers are away: calls of jetstow wait until they are back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from jetstow import Client
from jetstow._core.aio.background import running

# How long requests wait for the servers, in seconds: longer than a restart and the election of a
# leader, shorter than the timeout of clients (60 s in the AWS SDKs).
OUTAGE_LIMIT: Final = 15.0


class Availability:
    """Whether NATS is available, and the requests in progress."""

    def __init__(self) -> None:
        self.is_available = True
        self._requests: set[asyncio.Task[None]] = set()
        self._ended: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Add the request of the current task."""
        if (task := asyncio.current_task()) is not None:
            self._requests.add(task)

    def end(self) -> None:
        """Remove the request of the current task."""
        if (task := asyncio.current_task()) is not None:
            self._requests.discard(task)
            self._ended.discard(task)

    def has_ended_request(self) -> bool:
        """Return whether an outage has cancelled the current task, which then goes on."""
        task = asyncio.current_task()
        if task not in self._ended or task is None:
            return False
        self._ended.discard(task)
        task.uncancel()
        return True

    def set_available(self, is_available: bool) -> None:
        """Set whether NATS is available. If it is not, cancel the requests in progress."""
        if self.is_available and not is_available:
            for task in self._requests - self._ended:
                self._ended.add(task)
                task.cancel()
        self.is_available = is_available


@asynccontextmanager
async def watching(
    client: Client, availability: Availability, limit: float = OUTAGE_LIMIT
) -> AsyncIterator[None]:
    """Watch the NATS connection of a gateway: after `limit` seconds without it, answer 503."""
    async with running(_watch(client, availability, limit)):
        yield


async def _watch(client: Client, availability: Availability, limit: float) -> None:
    connected_at = time.monotonic()
    while True:
        now = time.monotonic()
        if client.is_connected:
            connected_at = now
        availability.set_available(now - connected_at < limit)
        await asyncio.sleep(limit / 20)
