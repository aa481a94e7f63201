"""The event loop of a connection: only it delivers the replies of the server."""

from __future__ import annotations

import asyncio
from threading import get_ident
from typing import TYPE_CHECKING

from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import WrongEventLoopError

if TYPE_CHECKING:
    from nats.aio.client import Client


class ConnectionLoop:
    """The event loop in which a client has connected."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        reading = nc._reading_task
        self.loop = None if reading is None else reading.get_loop()
        self._thread = 0

    @property
    def is_ending(self) -> bool:
        """Whether `asyncio.run` has cancelled the reader of a connection: no reply will arrive."""
        reading = self._nc._reading_task
        if not self._nc.is_connected or getattr(self._nc, "_fast_path", None) is not None:
            return False
        return reading is None or reading.done() or reading.cancelling() > 0

    def check(self, context: ErrorContext) -> asyncio.AbstractEventLoop:
        """Return the running loop if it is that of the connection.

        In any other, a call would wait forever for its reply.

        Raises: `WrongEventLoopError`.
        """
        # Before Python 3.12, `get_running_loop` makes a system call each time.
        if self.loop is not None and self.loop.is_running() and get_ident() == self._thread:
            return self.loop
        running = asyncio.get_running_loop()
        if running is self.loop or self.loop is None:
            self._thread = get_ident()
            return running
        state = ", which is closed" if self.loop.is_closed() else ""
        raise context.error(
            WrongEventLoopError,
            f"{context} cannot be used in this event loop: its connection belongs to another "
            f"one{state}; connect in the loop that uses it, or use jetstow.sync, which all threads "
            "can share",
        )
