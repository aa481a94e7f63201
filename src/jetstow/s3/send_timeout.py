"""Abort the connection of a client that does not read the response."""

from __future__ import annotations

import array
import asyncio
import socket
import struct
from contextlib import suppress
from typing import Final

from jetstow.s3.body.raw import IDLE_TIMEOUT

try:
    from fcntl import ioctl
    from termios import TIOCOUTQ
except ImportError:  # Windows
    ioctl = None  # type: ignore[assignment]

# The time between two checks, in seconds, and how many of them a client may take nothing.
_INTERVAL: Final = IDLE_TIMEOUT / 6
_MAX_SILENT: Final = 6


class SendTimeout:
    """Aborts a transport whose client takes no bytes for `IDLE_TIMEOUT`, while its buffer is full.

    A client that reads slowly keeps its connection, for any time.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._unsent: tuple[int, int] | None = None
        self._silent = 0

    def start(self) -> None:
        """Begin to check, as the transport's buffer is full."""
        self.stop()
        self._unsent, self._silent = None, 0
        self._timer = self._loop.call_later(_INTERVAL, self._check)

    def stop(self) -> None:
        """Stop checking: the buffer has space, or the connection is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        # The kernel buffers megabytes, and takes more only when a third of them is acknowledged.
        unsent = self._transport.get_write_buffer_size(), _unacknowledged(self._transport)
        self._silent = self._silent + 1 if unsent == self._unsent else 0
        self._unsent = unsent
        if self._silent >= _MAX_SILENT:
            self._timer = None
            _reset(self._transport)
        else:
            self._timer = self._loop.call_later(_INTERVAL, self._check)


def _reset(transport: asyncio.Transport) -> None:
    """Close a connection. Without SO_LINGER, the kernel keeps what is unsent for minutes."""
    if (connection := transport.get_extra_info("socket")) is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _unacknowledged(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel has that the client has not acknowledged; 0 if unknown."""
    connection = transport.get_extra_info("socket")
    if connection is None or ioctl is None:
        return 0
    size = array.array("i", [0])
    try:
        ioctl(connection.fileno(), TIOCOUTQ, size)
    except OSError:  # not a system that counts them
        return 0
    return size[0]
