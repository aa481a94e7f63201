"""A TCP proxy that delays, slows down, stalls, truncates and aborts connections to a server.

    async with Proxy(server.port, delay=0.025) as proxy:
        client = await jetstow.connect(proxy.url)
        await proxy.cut_after(1_000, "to_client")

`delay` is in seconds and applies to each direction, so a round trip takes twice as long. `rate` is
the bandwidth of each direction in bytes per second; without it, the proxy does not limit it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

_READ_SIZE = 256 * 1024

# With a rate: the size of the socket buffers in bytes, so that most bytes wait in the sender's, and
# how many pieces are forwarded in a second.
_SLOW_BUFFER_SIZE = 32 * 1024
_PIECES_PER_SECOND = 50

# Reads of one direction that wait for their delay, or for the end of a stall.
_MAX_QUEUED_READS = 256

Direction = Literal["to_server", "to_client"]


@dataclass
class _Limit:
    direction: Direction
    remaining: int
    stalls: bool  # else it aborts
    reached: asyncio.Future[None]


class Proxy:
    """Forwards connections to a port of this machine. `faults` counts the faults by kind."""

    def __init__(self, port: int, *, delay: float = 0.0, rate: float | None = None) -> None:
        self.delay = delay
        self.rate = rate
        self._read_size = _READ_SIZE
        if rate is not None:
            self._read_size = max(1, min(_READ_SIZE, int(rate / _PIECES_PER_SECOND)))
        self.port = 0
        self.faults: Counter[str] = Counter()
        self.connection_count = 0
        self._target = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._limit: _Limit | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._changed = asyncio.Event()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    # -- faults --------------------------------------------------------------------------

    def cut(self) -> None:
        """Abort every connection with a reset."""
        self.faults["cut"] += 1
        self._abort()

    def cut_after(self, count: int, direction: Direction) -> asyncio.Future[None]:
        """Forward `count` more bytes in a direction, then abort every connection once.

        The receiver may get fewer bytes: a reset discards those that it has not read yet.

        Returns: a future that is done after the abort, or cancelled if the abort is.
        """
        return self._set_limit(count, direction, stalls=False)

    def stall_after(self, count: int, direction: Direction) -> asyncio.Future[None]:
        """Forward `count` more bytes in a direction, all of which arrive, then stall.

        Returns: a future that is done when the proxy stalls.
        """
        return self._set_limit(count, direction, stalls=True)

    def _set_limit(self, count: int, direction: Direction, *, stalls: bool) -> asyncio.Future[None]:
        self.cancel_cut()
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._limit = _Limit(direction, count, stalls, reached)
        return reached

    def cancel_cut(self) -> None:
        """Cancel a pending `cut_after` or `stall_after`."""
        if self._limit is not None:
            self._limit.reached.cancel()
        self._limit = None

    def stall(self) -> None:
        """Keep every connection open but forward nothing until `resume`."""
        self.faults["stall"] += 1
        self._flowing.clear()

    def resume(self) -> None:
        """Forward again, buffered bytes first."""
        self._flowing.set()

    def refuse(self) -> None:
        """Close new connections at once, until `accept`."""
        self.faults["refuse"] += 1
        self._refusing = True

    def accept(self) -> None:
        """Accept new connections again."""
        self._refusing = False

    _refusing = False

    async def wait_for_connections(self, count: int) -> None:
        """Wait until `count` connections have been accepted in all."""
        while self.connection_count < count:
            self._changed.clear()
            await self._changed.wait()

    def _abort(self) -> None:
        for writer in list(self._writers):
            sock = writer.get_extra_info("socket")
            if sock is not None:
                # With a linger time of zero, the other end receives a reset.
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    # -- forwarding ----------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        self._set_buffers(sock)
        self._server = await asyncio.start_server(self._serve, sock=sock, limit=self._read_size)
        self.port = sock.getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self.cancel_cut()
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._abort()

    def _set_buffers(self, sock: socket.socket) -> None:
        if self.rate is not None:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                sock.setsockopt(socket.SOL_SOCKET, option, _SLOW_BUFFER_SIZE)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = socket.socket()
        self._set_buffers(sock)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._target))
        except BaseException:
            sock.close()
            raise
        return await asyncio.open_connection(sock=sock, limit=self._read_size)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._writers.add(writer)
        server_writer: asyncio.StreamWriter | None = None
        try:
            if self._refusing:
                return
            server_reader, server_writer = await self._connect()
            self._writers.add(server_writer)
            self.connection_count += 1
            self._changed.set()
            tasks = [
                asyncio.create_task(self._forward(reader, server_writer, "to_server")),
                asyncio.create_task(self._forward(server_reader, writer, "to_client")),
            ]
            try:
                await asyncio.wait(tasks)
            finally:
                for forwarding in tasks:
                    forwarding.cancel()
        except (OSError, asyncio.CancelledError):
            # Connection refused; or the proxy ends, and asyncio would log the cancellation.
            pass
        finally:
            for each in filter(None, (writer, server_writer)):
                each.transport.abort()
                self._writers.discard(each)
            self._connections.discard(task)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        """Forward one direction until its sender closes it."""
        loop = asyncio.get_running_loop()
        delayed: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MAX_QUEUED_READS)
        sending = asyncio.create_task(self._send_when_due(delayed, writer, direction))
        free_at = 0.0  # when the link has transferred everything before
        try:
            with suppress(OSError):
                while data := await reader.read(self._read_size):
                    if self.rate is not None:
                        free_at = max(free_at, loop.time()) + len(data) / self.rate
                        await asyncio.sleep(free_at - loop.time())
                    await delayed.put((loop.time() + self.delay, data))
            await delayed.put((loop.time() + self.delay, b""))
            await sending
        finally:
            sending.cancel()

    async def _send_when_due(
        self,
        delayed: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
        direction: Direction,
    ) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while True:
                due, data = await delayed.get()
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                await self._flowing.wait()
                if not data:
                    writer.close()
                    return
                if self._limit is not None and self._limit.direction == direction:
                    await self._apply_limit(self._limit, writer, data)
                else:
                    writer.write(data)
                    await writer.drain()

    async def _apply_limit(self, limit: _Limit, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data[: limit.remaining])
        if len(data) < limit.remaining:
            limit.remaining -= len(data)
            await writer.drain()
            return
        self._limit = None
        # A reset discards unread bytes: send those that the limit allows first.
        await writer.drain()
        await asyncio.sleep(0)
        if limit.stalls:
            self.stall()
        else:
            self.faults["truncation"] += 1
            self._abort()
        if not limit.reached.done():
            limit.reached.set_result(None)
        if limit.stalls:
            await self._flowing.wait()
            writer.write(data[limit.remaining :])
            await writer.drain()
