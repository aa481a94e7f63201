"""Events that a stream captures: none is missing and none is doubled, whatever gateways do."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nats
import pytest
import pytest_asyncio
from nats.js.api import DiscardPolicy, StreamConfig

import jetstow
from jetstow.s3.events.publisher import publishing
from tests.s3.test_events import configure
from tests.support.gateway import new_client
from tests.support.served import Served

if TYPE_CHECKING:
    from tests.support.servers import NatsServer


class Captured:
    """A stream that captures the events of a bucket."""

    def __init__(self, js: Any, bucket: str) -> None:
        self.js = js
        self._subject = f"jetstow.s3.{bucket}.>"
        self.config = StreamConfig(
            name=f"EVENTS_{bucket}", subjects=[self._subject], discard=DiscardPolicy.NEW
        )
        self._subscription: Any = None

    async def create(self) -> None:
        await self.js.add_stream(self.config)
        self._subscription = await self.js.subscribe(
            self._subject, stream=self.config.name, ordered_consumer=True
        )

    async def keys(self, count: int) -> list[str]:
        found = []
        for _ in range(count):
            # A message that was on its way to a gateway that stops is sent again after 30 s.
            message = await self._subscription.next_msg(timeout=50)
            (record,) = json.loads(message.data)["Records"]
            found.append(record["s3"]["object"]["key"])
        return found

    async def count(self) -> int:
        return (await self.js.stream_info(self.config.name)).state.messages


@pytest_asyncio.fixture
async def captured(server: NatsServer, bucket: str) -> AsyncIterator[Captured]:
    async with await nats.connect(server.url) as plain:
        captured = Captured(plain.jetstream(), bucket)
        await captured.create()
        yield captured
        await captured.js.delete_stream(captured.config.name)


@pytest.mark.timeout(150)
async def test_gateways_share_the_events(
    server: NatsServer, s3: Any, s3_bucket: str, captured: Captured
) -> None:
    """Also while gateways start and stop, and while the stream is full."""
    async with jetstow.connect(server.url) as one, jetstow.connect(server.url) as other:
        store = await other.jetstream().object_store(s3_bucket)

        async def put(prefix: str, count: int = 40) -> list[str]:
            names = [f"{prefix}{number:03}" for number in range(count)]
            await asyncio.gather(*(store.put(name, b"1") for name in names))
            return names

        async with publishing(one, one.jetstream()):
            await asyncio.to_thread(configure, s3, s3_bucket, {})
            async with publishing(other, other.jetstream()):
                names = await put("a")
                assert sorted(await captured.keys(40)) == names
                names = await put("b")  # the second gateway stops in the middle
            assert sorted(await captured.keys(40)) == names
        names = await put("c", 5)  # no gateway runs
        captured.config.max_msgs = 82
        await captured.js.update_stream(captured.config)
        async with publishing(one, one.jetstream()):
            found = await captured.keys(2)
            captured.config.max_msgs = -1
            await captured.js.update_stream(captured.config)
            assert sorted(found + await captured.keys(3)) == names
        assert await captured.count() == 85


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_killed_gateway(
    server: NatsServer, bucket: str, captured: Captured, tmp_path: Path
) -> None:
    with Served(server.url, "--workers", "2", home=tmp_path) as served:
        s3 = new_client(served.url, served.key)

        def write() -> None:
            s3.create_bucket(Bucket=bucket)
            configure(s3, bucket, {})
            s3.put_object(Bucket=bucket, Key="a", Body=b"1")

        await asyncio.to_thread(write)
        assert await captured.keys(1) == ["a"]
        served.signal(signal.SIGKILL)
    async with jetstow.connect(server.url) as nc:
        store = await nc.jetstream().object_store(bucket)
        await store.put("b", b"1")
        await store.put("a", b"2")
        with Served(server.url, home=tmp_path):
            assert await captured.keys(2) == ["b", "a"]
        assert await captured.count() == 3
        # A new bucket of the same name has its own position.
        await nc.jetstream().delete_object_store(bucket)
