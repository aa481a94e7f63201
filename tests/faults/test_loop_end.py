"""The end of `asyncio.run` with calls in flight: all tasks are cancelled, nats-py's, too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import nats
import pytest

import jetstow
from tests.support import raw_stream
from tests.support.servers import NatsServer


@pytest.mark.not_on_path("plain")
def test_uploads_at_the_end_of_the_loop(
    server: NatsServer, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each upload waited twice for replies that nats-py's cancelled reader did not deliver, and
    warned of chunks that the server had removed."""

    async def endless(begun: asyncio.Event) -> AsyncIterator[bytes]:
        while True:
            yield bytes(100_000)
            begun.set()
            await asyncio.sleep(0)

    async def main() -> None:
        async def end_connection() -> None:
            """Close the connection after the uploads, as a program that leaks it would not."""
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.wait(uploads)
                await nc.close()

        nc = await jetstow.connect(server.url)
        store = await nc.jetstream().create_object_store(bucket)
        begun = [asyncio.Event() for _ in range(3)]
        uploads = [
            asyncio.create_task(store.put(f"object {number}", endless(event)))
            for number, event in enumerate(begun)
        ]
        running.update(uploads)
        running.add(asyncio.create_task(end_connection()))
        for event in begun:
            await event.wait()

    async def stored_chunks() -> dict[str, int]:
        async with await nats.connect(server.url) as raw:
            return await raw_stream.chunks(raw, bucket)

    running: set[asyncio.Task[object]] = set()
    with caplog.at_level(logging.WARNING, "jetstow"):
        asyncio.run(main())
    assert all(task.cancelled() for task in running)
    assert not caplog.records
    assert not asyncio.run(stored_chunks())
