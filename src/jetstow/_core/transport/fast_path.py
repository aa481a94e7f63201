"""A lane through nats-py: the socket of its connection, with a reader and a writer of our own.

What nats-py reads, it copies twice and matches against a regular expression a line; what it
sends, it copies three times. So once a connection stands, the socket's bytes go to `Frames`
instead. The messages of jetstow's own subscriptions are told at once, and all else goes on to
nats-py, which does not notice.

Where there is no plain socket (websockets) or nats-py is not as we know it, nothing changes:
the connection works as nats-py made it (docs/decisions/0013).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, Self, TypeAlias

import nats.errors
from nats.aio.transport import TcpTransport

from jetstow._core.protocol.parser import ParsedMessage, Parser, ProtocolError

_log = logging.getLogger("jetstow.client")

# What nats-py has not yet worked off may grow so far; then the socket waits.
_MAX_QUEUED: Final = 512

# Messages smaller than this may wait for one another, until the loop's next turn.
_BATCHED_BELOW: Final = 8 * 1024

# Who gets the messages of a subscription, by its number.
Receivers: TypeAlias = dict[int, Callable[[ParsedMessage], None]]


class FastPath(asyncio.BufferedProtocol):
    """The receiving end of one connection, in the place of an `asyncio.StreamReader`."""

    def __init__(
        self, writer: asyncio.StreamWriter, receivers: Receivers, stats: dict[str, int]
    ) -> None:
        self.writer = writer
        self._receivers = receivers
        self._stats = stats
        self._transport: Any = writer.transport
        # The streams' protocol goes on to see to flow control and to the end.
        self._stream_protocol: Any = writer.transport.get_protocol()
        self._parser = Parser(self._on_message, self._queue)
        self._queued: deque[ParsedMessage | bytes] = deque()
        self._outgoing: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self._error: Exception | None = None

    @classmethod
    async def attach(
        cls, connection: Any, receivers: Receivers, stats: dict[str, int]
    ) -> Self | None:
        """Take a transport of nats-py's over, and what has arrived; None where it cannot be.

        `receivers`, by the number of their subscription, get what is theirs.
        """
        if not isinstance(connection, TcpTransport):
            return None
        reader, writer = connection._io_reader, connection._io_writer
        if reader is None or writer is None:
            return None
        lane = cls(writer, receivers, stats)
        writer.transport.set_protocol(lane)
        # With its end in sight, the reader hands out what it has and waits for nothing.
        reader.feed_eof()
        lane._feed(await reader.read())
        return lane

    def write(self, message: bytes) -> Coroutine[Any, Any, None] | None:
        """Send. What it returns is to be awaited; None, if the socket has taken it all.

        Sending costs as much for a hundred bytes as for a hundred messages of them: what is
        sent in one turn of the loop, by one task or by many, goes together.
        """
        if len(message) >= _BATCHED_BELOW:
            self._flush()
            self._transport.write(message)
        else:
            if not self._outgoing:
                self._loop.call_soon(self._flush)
            self._outgoing.append(message)
        return self.writer.drain() if self._transport.get_write_buffer_size() else None

    def _flush(self) -> None:
        if self._outgoing:
            message = b"".join(self._outgoing)
            self._outgoing.clear()
            self._transport.write(message)

    async def next(self) -> ParsedMessage | bytes | None:
        """The next thing that is nats-py's; None at the end of the connection.

        Raises `ProtocolError` and the socket's `OSError`.
        """
        while not self._queued:
            if self._error is not None:
                raise self._error
            if self._closed:
                return None
            self._transport.resume_reading()
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._queued.popleft()

    def close(self) -> None:
        """Tell nobody anything more."""
        self._flush()
        self._end(None)

    # -- what the transport tells ----------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - it takes what it gets
        return self._parser.get_buffer()

    def buffer_updated(self, nbytes: int) -> None:
        if self._closed:
            return
        try:
            self._parser.buffer_updated(nbytes)
        except ProtocolError as error:
            _log.warning("the server sent what is not NATS: %s", error)
            self._end(nats.errors.ProtocolError())

    def eof_received(self) -> bool | None:
        self._end(None)
        return bool(self._stream_protocol.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)
        self._stream_protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        self._stream_protocol.pause_writing()

    def resume_writing(self) -> None:
        self._stream_protocol.resume_writing()

    # -- inside ----------------------------------------------------------------------------

    def _feed(self, arrived: bytes) -> None:
        """Bytes that came before the lane did."""
        while arrived:
            room = self._parser.get_buffer()
            size = min(len(room), len(arrived))
            room[:size] = arrived[:size]
            self.buffer_updated(size)
            arrived = arrived[size:]

    def _on_message(self, frame: ParsedMessage) -> None:
        deliver = self._receivers.get(frame.sid)
        if deliver is None:
            self._queue(frame)
            return
        self._stats["in_msgs"] += 1
        self._stats["in_bytes"] += len(frame.data)
        try:
            deliver(frame)
        except Exception:  # noqa: BLE001 - as for nats-py's callbacks: it ends no connection
            _log.exception("a message to %s was not understood", frame.subject)

    def _queue(self, item: ParsedMessage | bytes) -> None:
        self._queued.append(item)
        if len(self._queued) > _MAX_QUEUED:
            self._transport.pause_reading()
        self._wake()

    def _end(self, reason: Exception | None) -> None:
        if not self._closed:
            self._closed, self._error = True, reason
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def header_size(headers: dict[str, str] | None) -> int:
    """The bytes that headers take in a message, which the server counts with its payload."""
    if headers is None:
        return 0
    size = len("NATS/1.0\r\n\r\n")
    for name, value in headers.items():
        size += len(name) + len(value) + 4  # they are ASCII, as all that we send
    return size


def encode_message(
    subject: str, payload: bytes | memoryview, reply: str, headers: dict[str, str] | None
) -> bytes:
    """What the server reads of a message published. Raises nats-py's `BadSubjectError`."""
    address = f"{subject} {reply}"
    if not address.isprintable() or address.count(" ") != 1:
        raise nats.errors.BadSubjectError
    if headers is None:
        return b"".join((f"PUB {address} {len(payload)}\r\n".encode(), payload, b"\r\n"))
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    head = f"NATS/1.0\r\n{lines}\r\n".encode()
    size = len(head) + len(payload)
    return b"".join((f"HPUB {address} {len(head)} {size}\r\n".encode(), head, payload, b"\r\n"))
