"""A bad way to the server: a TCP proxy that delays, stalls, cuts and truncates.

    async with Proxy(server.port, delay=0.025) as proxy:
        client = await jetstow.connect(proxy.url)
        await proxy.cut_after(1_000, "to_client")

`delay` is in seconds and goes for each direction: a round trip takes twice as long. How many
bytes may be on their way is not limited, so the bandwidth is the machine's.
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

_PIECE = 256 * 1024

# Pieces of one direction that wait for their time, or for the end of a stall.
_HELD = 256

Direction = Literal["to_server", "to_client"]


@dataclass
class _Limit:
    direction: Direction
    left: int
    reached: asyncio.Future[None]


class Proxy:
    """Forwards connections to a port of this machine. What it does to them, `faults` counts."""

    def __init__(self, port: int, *, delay: float = 0.0) -> None:
        self.delay = delay
        self.port = 0
        self.faults: Counter[str] = Counter()
        self.made = 0
        self._target = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._limit: _Limit | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._changed = asyncio.Event()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    # -- faults --------------------------------------------------------------------------

    def cut(self) -> None:
        """Abort every connection, as a way that breaks does."""
        self.faults["cut"] += 1
        self._abort()

    def cut_after(self, count: int, direction: Direction) -> asyncio.Future[None]:
        """Let `count` more bytes through that way, then abort every connection, once.

        A reset overtakes what the receiver has not read yet, so it may get fewer. What it
        returns is done when that has happened, and cancelled if it never will.
        """
        self.spare()
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._limit = _Limit(direction, count, reached)
        return reached

    def spare(self) -> None:
        """Take back what `cut_after` has asked for and has not come to pass."""
        if self._limit is not None:
            self._limit.reached.cancel()
        self._limit = None

    def stall(self) -> None:
        """Keep every connection open and let nothing through, until `go_on`."""
        self.faults["stall"] += 1
        self._flows.clear()

    def go_on(self) -> None:
        """Let everything through again, what was held first."""
        self._flows.set()

    def refuse(self) -> None:
        """Take no new connection, until `accept`."""
        self.faults["refuse"] += 1
        self._refusing = True

    def accept(self) -> None:
        """Take new connections again."""
        self._refusing = False

    _refusing = False

    async def connections_made(self, count: int) -> None:
        """Returns when so many connections have been made in all."""
        while self.made < count:
            self._changed.clear()
            await self._changed.wait()

    def _abort(self) -> None:
        for writer in list(self._writers):
            sock = writer.get_extra_info("socket")
            if sock is not None:
                # With nothing to linger for, the other side gets a reset.
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    # -- its life ------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_PIECE)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self.spare()
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self._writers.add(writer)
        back: asyncio.StreamWriter | None = None
        try:
            if self._refusing:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target, limit=_PIECE)
            self._writers.add(back)
            self.made += 1
            self._changed.set()
            ways = [
                asyncio.create_task(self._carry(reader, back, "to_server")),
                asyncio.create_task(self._carry(there, writer, "to_client")),
            ]
            try:
                await asyncio.wait(ways)
            finally:
                for way in ways:
                    way.cancel()
        except (OSError, asyncio.CancelledError):
            pass  # nobody listens there; or the proxy ends, and asyncio wants to hear nothing
        finally:
            for end in filter(None, (writer, back)):
                end.transport.abort()
                self._writers.discard(end)
            self._connections.discard(task)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        """One direction, until its sender ends it."""
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_HELD)
        delivering = asyncio.create_task(self._deliver(late, writer, direction))
        try:
            with suppress(OSError):
                while piece := await reader.read(_PIECE):
                    await late.put((loop.time() + self.delay, piece))
            await late.put((loop.time() + self.delay, b""))
            await delivering
        finally:
            delivering.cancel()

    async def _deliver(
        self,
        late: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
        direction: Direction,
    ) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            while True:
                due, piece = await late.get()
                if (left := due - loop.time()) > 0:
                    await asyncio.sleep(left)
                await self._flows.wait()
                if not piece:
                    writer.close()
                    return
                if self._limit is not None and self._limit.direction == direction:
                    await self._truncate(self._limit, writer, piece)
                else:
                    writer.write(piece)
                    await writer.drain()

    async def _truncate(self, limit: _Limit, writer: asyncio.StreamWriter, piece: bytes) -> None:
        writer.write(piece[: limit.left])
        if len(piece) < limit.left:
            limit.left -= len(piece)
            await writer.drain()
            return
        self._limit = None
        # A reset overtakes what is on its way: let the bytes arrive that may.
        await writer.drain()
        await asyncio.sleep(0)
        self.faults["truncation"] += 1
        self._abort()
        if not limit.reached.done():
            limit.reached.set_result(None)
