"""A long way to the server: a TCP proxy that holds every byte back for a while.

    async with Proxy(server.port, delay=0.025) as proxy:
        client = await jetstow.connect(proxy.url)

`delay` is in seconds and goes for each direction: a round trip takes twice as long. How many
bytes may be on their way is not limited, so the bandwidth is the machine's.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

_PIECE = 256 * 1024


class Proxy:
    """Forwards connections to a port of this machine, each byte `delay` seconds late."""

    def __init__(self, port: int, *, delay: float = 0.0) -> None:
        self.delay = delay
        self.port = 0
        self._target = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

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
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target, limit=_PIECE)
            with suppress(OSError, asyncio.CancelledError):
                await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
            back.close()
        finally:
            writer.close()
            self._connections.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction, until its sender ends it."""
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivering = asyncio.create_task(self._deliver(late, writer))
        try:
            while piece := await reader.read(_PIECE):
                late.put_nowait((loop.time() + self.delay, piece))
            late.put_nowait((loop.time() + self.delay, b""))
            await delivering
        finally:
            delivering.cancel()

    async def _deliver(
        self, late: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, piece = await late.get()
            if (left := due - loop.time()) > 0:
                await asyncio.sleep(left)
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()
