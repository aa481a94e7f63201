"""How many bytes have left the socket of a connection, and how many have arrived.

The kernel buffers up to 4 MiB of sent bytes. Only its counters show how many of them the other end
has acknowledged, and how much of a message has arrived.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nats.aio.transport import TcpTransport, WebSocketTransport

from jetstow._core.aio.congestion_window import CongestionWindow
from jetstow._core.transport.silence import Progress

if sys.platform == "linux":
    import fcntl
    import termios

if TYPE_CHECKING:
    from nats.aio.client import Client

# `tcpi_bytes_acked` and `tcpi_bytes_received` in Linux's `struct tcp_info`, since Linux 4.1.
_COUNTERS: Final = struct.Struct("=QQ")
_COUNTERS_OFFSET: Final = 120
_TCP_INFO_SIZE: Final = _COUNTERS_OFFSET + _COUNTERS.size


class SocketCounts(NamedTuple):
    """Bytes: acknowledged by the other end, received, and not yet acknowledged or sent."""

    sent: int
    received: int
    unsent: int


class SocketCounters:
    """The counters of the socket that a connection of nats-py uses at the time."""

    def __init__(self, nc: Client) -> None:
        self._nc: Any = nc
        self._unsent = 0
        self._sent = 0

    def progress(self, inbound: CongestionWindow, outbound: CongestionWindow) -> Progress:
        """Return the counters with what is in flight in the connection's windows."""
        counts = self.read()
        return Progress(
            sent=counts.sent,
            received=counts.received,
            answered=outbound.answered,
            unsent=counts.unsent,
            inbound=inbound.waiting,
            unanswered=outbound.waiting,
            chunk_size=outbound.largest,
            rate=outbound.rate,
            inbound_rate=inbound.rate,
        )

    def read(self) -> SocketCounts:
        """Return the current counts. A new socket starts again at 0."""
        transport = _asyncio_transport(self._nc._transport)
        unsent = self._nc._pending_data_size + _buffer_size(transport)
        sock = None if transport is None else transport.get_extra_info("socket")
        if sock is not None and (counts := _kernel_counts(sock)) is not None:
            return counts._replace(unsent=counts.unsent + unsent)
        self._sent += max(0, self._unsent - unsent)
        self._unsent = unsent
        return SocketCounts(self._sent, self._nc.stats["in_bytes"], unsent)


def _kernel_counts(sock: Any) -> SocketCounts | None:
    """Return the kernel's counts; None if it has none, or the socket is closed."""
    if sys.platform != "linux":
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
        sent, received = _COUNTERS.unpack_from(info, _COUNTERS_OFFSET)
        (queued,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
    except (OSError, ValueError, struct.error):
        return None
    return SocketCounts(sent, received, queued)


def _asyncio_transport(transport: Any) -> Any:
    if isinstance(transport, TcpTransport):
        return None if transport._io_writer is None else transport._io_writer.transport
    if isinstance(transport, WebSocketTransport):
        connection = getattr(transport._ws, "_conn", None)
        return getattr(connection, "transport", None)
    return None


def _buffer_size(transport: Any) -> int:
    """Return the bytes in a transport's buffer, and in that of the socket below TLS."""
    size = 0
    while transport is not None and not transport.is_closing():
        size += transport.get_write_buffer_size()
        ssl_protocol = getattr(transport, "_ssl_protocol", None)
        transport = getattr(ssl_protocol, "_transport", None)
    return size
