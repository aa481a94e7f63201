"""The counters of a socket, from the kernel or without it."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from nats.aio.transport import TcpTransport

from jetstow._core.transport import socket_counters
from jetstow._core.transport.socket_counters import SocketCounters


async def connect(peer: socket.socket) -> Any:
    """Return what the counters use of a nats-py client, connected to a listening socket."""
    reader, writer = await asyncio.open_connection(*peer.getsockname())
    transport = TcpTransport()
    transport._io_reader, transport._io_writer = reader, writer
    return SimpleNamespace(_transport=transport, _pending_data_size=0, stats={"in_bytes": 7})


async def receive(sock: socket.socket, size: int) -> None:
    loop = asyncio.get_running_loop()
    while size:
        size -= len(await loop.sock_recv(sock, min(size, 65_536)))


@pytest.mark.parametrize("has_kernel_counts", [True, False])
async def test_sent_bytes(monkeypatch: pytest.MonkeyPatch, has_kernel_counts: bool) -> None:
    if not has_kernel_counts:
        monkeypatch.setattr(socket_counters, "_kernel_counts", lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = await connect(listener)
        writer = client._transport._io_writer
        peer, _ = listener.accept()
        peer.setblocking(False)
        counters = SocketCounters(client)
        first = counters.read()
        assert first.unsent == 0
        writer.write(bytes(20_000_000))  # more than the kernel buffers
        queued = counters.read()
        assert queued.unsent > 10_000_000
        await receive(peer, 20_000_000)
        await writer.drain()
        while (last := counters.read()).unsent:
            await asyncio.sleep(0)
        if has_kernel_counts:
            assert last.sent - first.sent == 20_000_000
            peer.send(b"reply")
            assert await client._transport._io_reader.read(5) == b"reply"
            assert counters.read().received - last.received == 5
        else:
            assert last.sent - queued.sent == queued.unsent
            assert last.received == 7
        peer.close()
        writer.transport.abort()


async def test_closed_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = await connect(listener)
        client._transport._io_writer.transport.abort()
        await asyncio.sleep(0)
        assert SocketCounters(client).read().unsent == 0
    never_connected: Any = SimpleNamespace(
        _transport=None, _pending_data_size=3, stats={"in_bytes": 0}
    )
    assert SocketCounters(never_connected).read() == (0, 0, 3)
