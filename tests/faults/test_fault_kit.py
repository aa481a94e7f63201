"""The proxy of the fault tests: each fault has its effect, and no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.proxy import Proxy

pytestmark = pytest.mark.one_path

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of an echo server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def proxy(echo: int) -> AsyncIterator[Proxy]:
    async with Proxy(echo) as made:
        yield made


@pytest.fixture
async def ends(proxy: Proxy) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    yield reader, writer
    writer.transport.abort()


async def check_echo(ends: Ends, data: bytes) -> None:
    reader, writer = ends
    writer.write(data)
    assert await reader.readexactly(len(data)) == data


async def check_new_connection(proxy: Proxy) -> None:
    other = await asyncio.open_connection("127.0.0.1", proxy.port)
    await check_echo(other, b"x" * 1_000)
    other[1].transport.abort()


async def read_until_reset(reader: asyncio.StreamReader) -> bytes:
    """Read until the connection is reset, which must happen, and return the bytes."""
    received = b""
    try:
        while True:
            received += await reader.readexactly(1)
    except ConnectionResetError:
        return received


async def test_proxy_forwards_all_bytes(proxy: Proxy, ends: Ends) -> None:
    await check_echo(ends, bytes(range(256)) * 4_000)
    assert (proxy.connection_count, proxy.faults.total()) == (1, 0)


async def test_proxy_delays_both_directions(echo: int) -> None:
    async with Proxy(echo, delay=0.05) as slow:
        reader, writer = await asyncio.open_connection("127.0.0.1", slow.port)
        begun = asyncio.get_running_loop().time()
        await check_echo((reader, writer), b"x")
        assert asyncio.get_running_loop().time() - begun >= 0.1, (
            "the delay applies to both directions"
        )
        writer.close()


async def test_cut_resets_connections(proxy: Proxy, ends: Ends) -> None:
    await check_echo(ends, b"before")
    proxy.cut()
    assert await read_until_reset(ends[0]) == b""
    await check_new_connection(proxy)
    assert (proxy.connection_count, proxy.faults["cut"]) == (2, 1)


@pytest.mark.parametrize("direction", ["to_client", "to_server"])
async def test_cut_after_a_number_of_bytes(proxy: Proxy, ends: Ends, direction: str) -> None:
    await check_echo(ends, b"before")
    reached = proxy.cut_after(4, direction)  # type: ignore[arg-type]
    for letter in (b"a", b"b", b"c"):
        await check_echo(ends, letter)
    assert not reached.done()
    ends[1].write(b"defg")
    received = await read_until_reset(ends[0])
    assert b"d".startswith(received), "the reset may discard the last byte"
    await reached
    await check_new_connection(proxy)


async def test_cancelled_cut(proxy: Proxy, ends: Ends) -> None:
    first = proxy.cut_after(3, "to_client")
    second = proxy.cut_after(3, "to_client")
    assert first.cancelled(), "a new limit replaces the first one"
    proxy.cancel_cut()
    assert second.cancelled()
    await check_echo(ends, b"x" * 1_000)


async def test_stall_and_resume(proxy: Proxy, ends: Ends) -> None:
    await check_echo(ends, b"before")
    proxy.stall()
    ends[1].write(b"during")
    reading = asyncio.create_task(ends[0].readexactly(6))
    other = await asyncio.open_connection("127.0.0.1", proxy.port)
    await proxy.wait_for_connections(2)
    assert not reading.done()
    proxy.resume()
    assert await reading == b"during"
    await check_echo(other, b"too")
    other[1].transport.abort()


async def test_refused_connections(proxy: Proxy, ends: Ends) -> None:
    await check_echo(ends, b"before")
    proxy.refuse()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        assert await reader.read() == b""
    except ConnectionResetError:
        pass
    finally:
        writer.transport.abort()
    await check_echo(ends, b"open connections stay")
    proxy.accept()
    await check_new_connection(proxy)
    assert proxy.connection_count == 2
