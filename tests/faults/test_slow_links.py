"""Slow links: deadlines bound the silence of the server, not the time that bytes need.

The rates are those of links of 20 to 500 kB/s with the default timeout of 5 seconds. The timeout
is five times shorter here, and so are transfers and delays.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

import jetstow
from jetstow import ObjectMeta, ObjectMetaOptions
from jetstow.errors import TimeoutError
from tests.support.proxy import Proxy
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

TIMEOUT = 1.0
LARGE_CHUNKS = ObjectMeta(options=ObjectMetaOptions(max_chunk_size=1_000_000))

DATA = some_bytes(1_000_000)

# The bandwidth in bytes per second, a size that takes about two seconds, the delay in seconds.
PUTS = [
    (2_500_000, 5_000_000, 0.0),
    (1_000_000, 2_000_000, 0.0),
    (300_000, 600_000, 0.0),
    (300_000, 600_000, 0.04),
    (120_000, 250_000, 0.0),
]

OpenLink = Callable[..., Awaitable[tuple[jetstow.ObjectStore, Proxy]]]


@pytest.fixture
async def open_link(server: NatsServer, store: jetstow.ObjectStore) -> AsyncIterator[OpenLink]:
    """Return the bucket over a link of a given rate and delay, and its proxy."""
    async with AsyncExitStack() as stack:

        async def open_link(
            rate: float, delay: float = 0.0, port: int = server.port
        ) -> tuple[jetstow.ObjectStore, Proxy]:
            proxy = await stack.enter_async_context(Proxy(port, rate=rate, delay=delay))
            nc = await stack.enter_async_context(await jetstow.connect(proxy.url))
            return await nc.jetstream(timeout=TIMEOUT).object_store(store.bucket), proxy

        yield open_link


@pytest.mark.one_path
@pytest.mark.parametrize(("rate", "size", "delay"), PUTS)
async def test_put(
    open_link: OpenLink, store: jetstow.ObjectStore, rate: int, size: int, delay: float
) -> None:
    """The server was reported as silent while the chunks still left the socket."""
    slow, _ = await open_link(rate, delay)
    data = some_bytes(size)
    await slow.put("a", data)
    assert (await store.get("a")).data == data


async def test_get(open_link: OpenLink, store: jetstow.ObjectStore) -> None:
    """One chunk takes longer than the timeout."""
    data = some_bytes(250_000)
    await store.put("a", data)
    slow, _ = await open_link(100_000, delay=0.04)
    assert (await slow.get("a")).data == data


@pytest.mark.one_path
async def test_get_of_large_chunks(open_link: OpenLink, store: jetstow.ObjectStore) -> None:
    data = some_bytes(1_000_000)
    await store.put("a", data, LARGE_CHUNKS)
    slow, _ = await open_link(400_000)
    assert (await slow.get("a")).data == data


@pytest.mark.one_path
async def test_large_metadata(open_link: OpenLink, store: jetstow.ObjectStore) -> None:
    """One reply takes longer than the timeout; a part of it is a sign of life."""
    info = await store.put("a", b"", ObjectMeta(headers={"key": "x" * 200_000}))
    slow, _ = await open_link(150_000)
    assert (await slow.get_info("a")).headers == info.headers
    assert [each.headers for each in await slow.list()] == [info.headers]


@pytest.mark.one_path
async def test_put_of_large_chunks(open_link: OpenLink, store: jetstow.ObjectStore) -> None:
    data = some_bytes(1_000_000)
    slow, _ = await open_link(400_000)
    await slow.put("a", data, LARGE_CHUNKS)
    assert (await store.get("a")).data == data


@pytest.mark.one_path
async def test_without_counters_of_the_kernel(
    open_link: OpenLink, store: jetstow.ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other systems than Linux: transfers still follow the rate of the answers."""
    monkeypatch.setattr("jetstow._core.transport.socket_counters._kernel_counts", lambda _: None)
    data = some_bytes(600_000)
    slow, _ = await open_link(400_000)
    await slow.put("a", data)
    assert (await slow.get("a")).data == data


# -- other requests on the connection ----------------------------------------------------


async def answer_requests(store: jetstow.ObjectStore, transfer: asyncio.Task[object]) -> int:
    """Send small requests during a transfer, and return how many were answered."""
    count = 0
    while not transfer.done():
        for request in (lambda: store.get_info("small"), store.list, store.status):
            await request()
            count += not transfer.done()
    await transfer
    return count


@pytest.mark.one_path
@pytest.mark.parametrize("delay", [0.0, 0.04])
async def test_requests_beside_a_put(
    open_link: OpenLink, store: jetstow.ObjectStore, delay: float
) -> None:
    """They waited behind all chunks in the socket, and timed out."""
    await store.put("small", b"data")
    slow, _ = await open_link(1_000_000, delay)
    put = asyncio.create_task(slow.put("a", some_bytes(3_000_000)))
    assert await answer_requests(slow, put) > 1


@pytest.mark.one_path
async def test_requests_beside_a_get(open_link: OpenLink, store: jetstow.ObjectStore) -> None:
    await store.put("small", b"data")
    await store.put("a", some_bytes(3_000_000))
    slow, _ = await open_link(1_000_000)
    assert await answer_requests(slow, asyncio.create_task(slow.get("a"))) > 1


@pytest.mark.one_path
async def test_unanswered_request_beside_a_put(
    open_link: OpenLink, store: jetstow.ObjectStore
) -> None:
    """The progress of other transfers does not prolong a wait without end."""
    subject = f"silent.{store.bucket}"
    await store._js._nc.subscribe(subject)
    await store._js._nc.flush()
    slow, _ = await open_link(1_000_000)

    async def source() -> AsyncIterator[bytes]:
        while True:
            yield bytes(100_000)

    put = asyncio.create_task(slow.put("a", source()))
    stream = slow._bucket
    with pytest.raises(TimeoutError, match="did not reply"):
        await stream.api.send_request(stream.error_context(), subject)
    assert not put.done()
    put.cancel()
    with pytest.raises(asyncio.CancelledError):
        await put


# -- silence -----------------------------------------------------------------------------


@pytest.mark.one_path
@pytest.mark.slow
@pytest.mark.parametrize("verb", ["put", "get"])
async def test_link_that_stalls(open_link: OpenLink, store: jetstow.ObjectStore, verb: str) -> None:
    """Bytes that pile up in the socket are no sign of life."""
    await store.put("a", some_bytes(2_000_000))
    slow, proxy = await open_link(1_000_000)
    begun = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield bytes(131_072)
            begun.set()

    async def get() -> None:
        async for _ in slow.stream("a"):
            begun.set()

    transfer = asyncio.create_task(slow.put("b", source()) if verb == "put" else get())
    await begun.wait()
    proxy.stall()
    with pytest.raises(TimeoutError, match="did not reply"):
        await transfer
    proxy.resume()
    assert (await slow.get("a")).data == some_bytes(2_000_000)


# -- suspended transfers -----------------------------------------------------------------


class Suspended:
    """A download and an upload that their program does not continue until `resume`."""

    def __init__(self, store: jetstow.ObjectStore) -> None:
        self._reader = store.stream("a")
        self._first_pieces_taken = asyncio.Event()
        self._continued = asyncio.Event()
        # With an expected revision, no request of the put is pending while it is suspended.
        self._put = asyncio.create_task(store.put("b", self._source(), expected_revision=0))

    async def _source(self) -> AsyncIterator[bytes]:
        yield DATA[:600_000]
        self._first_pieces_taken.set()
        await self._continued.wait()
        yield DATA[600_000:]

    async def start(self) -> None:
        self._first = await anext(self._reader)
        await self._first_pieces_taken.wait()

    async def resume(self) -> bytes:
        """Complete both, and return what the download has read."""
        self._continued.set()
        await self._put
        return self._first + b"".join([chunk async for chunk in self._reader])


@pytest.mark.one_path
async def test_suspended_transfers_at_a_lost_connection(
    open_link: OpenLink, store: jetstow.ObjectStore
) -> None:
    """They keep no space in the connection's windows: others would wait for it forever."""
    await store.put("a", DATA)
    slow, proxy = await open_link(2_000_000)
    suspended = Suspended(slow)
    await suspended.start()
    proxy.cut()
    await slow.put("c", DATA)
    assert (await slow.get("c")).data == DATA
    assert await suspended.resume() == DATA
    assert (await store.get("b")).data == DATA
    inbox = slow._bucket.api.inbox
    assert (inbox.inbound.used, inbox.outbound.used) == (0, 0)


@pytest.mark.one_path
async def test_suspended_transfers_at_a_stall(
    open_link: OpenLink, store: jetstow.ObjectStore
) -> None:
    """Others do not wait without end for the bytes that these have in flight."""
    await store.put("a", DATA)
    slow, proxy = await open_link(2_000_000)
    suspended = Suspended(slow)
    await suspended.start()
    proxy.stall()
    results = await asyncio.gather(slow.put("c", DATA), slow.get("a"), return_exceptions=True)
    assert [type(result) for result in results] == [TimeoutError, TimeoutError]
    proxy.resume()
    assert await suspended.resume() == DATA
    assert (await store.get("b")).data == DATA
