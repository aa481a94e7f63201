"""What the other tests do to a connection happens: nothing less, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.proxy import Proxy

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of a server that says what it hears."""

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


async def said_again(ends: Ends, data: bytes) -> None:
    reader, writer = ends
    writer.write(data)
    assert await reader.readexactly(len(data)) == data


async def a_new_connection_is_whole(proxy: Proxy) -> None:
    other = await asyncio.open_connection("127.0.0.1", proxy.port)
    await said_again(other, b"x" * 1_000)
    other[1].transport.abort()


async def heard_to_its_end(reader: asyncio.StreamReader) -> bytes:
    """All that arrives before the connection breaks, which it must."""
    heard = b""
    try:
        while True:
            heard += await reader.readexactly(1)
    except ConnectionResetError:
        return heard


async def test_it_hands_everything_on(proxy: Proxy, ends: Ends) -> None:
    await said_again(ends, bytes(range(256)) * 4_000)
    assert (proxy.made, proxy.faults.total()) == (1, 0)


async def test_it_delays_both_directions(echo: int) -> None:
    async with Proxy(echo, delay=0.05) as slow:
        reader, writer = await asyncio.open_connection("127.0.0.1", slow.port)
        begun = asyncio.get_running_loop().time()
        await said_again((reader, writer), b"x")
        assert asyncio.get_running_loop().time() - begun >= 0.1, "never sooner"
        writer.close()


async def test_a_cut_is_a_reset_and_new_connections_are_whole(proxy: Proxy, ends: Ends) -> None:
    await said_again(ends, b"before")
    proxy.cut()
    assert await heard_to_its_end(ends[0]) == b""
    await a_new_connection_is_whole(proxy)
    assert (proxy.made, proxy.faults["cut"]) == (2, 1)


@pytest.mark.parametrize("direction", ["to_client", "to_server"])
async def test_a_cut_comes_after_so_many_bytes_and_once(
    proxy: Proxy, ends: Ends, direction: str
) -> None:
    await said_again(ends, b"before")
    reached = proxy.cut_after(4, direction)  # type: ignore[arg-type]
    for letter in (b"a", b"b", b"c"):
        await said_again(ends, letter)
    assert not reached.done()
    ends[1].write(b"defg")
    heard = await heard_to_its_end(ends[0])
    assert b"d".startswith(heard), "the reset may overtake what was let through"
    await reached
    await a_new_connection_is_whole(proxy)


async def test_a_cut_that_is_spared_never_comes(proxy: Proxy, ends: Ends) -> None:
    first = proxy.cut_after(3, "to_client")
    second = proxy.cut_after(3, "to_client")
    assert first.cancelled(), "the later word counts"
    proxy.spare()
    assert second.cancelled()
    await said_again(ends, b"x" * 1_000)


async def test_a_stall_holds_everything_and_loses_nothing(proxy: Proxy, ends: Ends) -> None:
    await said_again(ends, b"before")
    proxy.stall()
    ends[1].write(b"during")
    hearing = asyncio.create_task(ends[0].readexactly(6))
    other = await asyncio.open_connection("127.0.0.1", proxy.port)
    await proxy.connections_made(2)
    assert not hearing.done()
    proxy.go_on()
    assert await hearing == b"during"
    await said_again(other, b"too")
    other[1].transport.abort()


async def test_where_it_refuses_nobody_gets_through(proxy: Proxy, ends: Ends) -> None:
    await said_again(ends, b"before")
    proxy.refuse()
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        assert await reader.read() == b""
    except ConnectionResetError:
        pass
    finally:
        writer.transport.abort()
    await said_again(ends, b"who was there stays")
    proxy.accept()
    await a_new_connection_is_whole(proxy)
    assert proxy.made == 2
