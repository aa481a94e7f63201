"""The fast path: reads and writes the socket of a connected nats-py client.

nats-py copies received bytes twice, and matches each line with a regular expression. It copies sent
bytes three times. So once connected, the socket's bytes go to a `Parser`. Messages to jetstow's own
subscriptions are delivered at once; everything else goes to nats-py.

If the transport is not a socket (websockets), or nats-py's internals have changed, the connection
works without the fast path (docs/decisions/0013).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Protocol, Self

import nats.errors
from nats.aio.transport import TcpTransport

from jetstow._core.protocol.parser import ParsedMessage, Parser, ProtocolError

_log = logging.getLogger("jetstow.client")

# Items queued for nats-py before reading from the socket is paused.
_MAX_QUEUED: Final = 512

# Messages with fewer bytes than this are sent together with others.
_MIN_UNBATCHED_SIZE: Final = 8 * 1024

# So many of them are sent at once: the server works on them while the next ones are encoded. Of 64
# puts at once, 15 % more a second were stored than without this limit.
_MAX_BATCH: Final = 32

_END: Final = b"\r\n"


class Subscriber(Protocol):
    """Receives the messages of a subscription."""

    def deliver_all(self, messages: Sequence[ParsedMessage], /) -> None:
        """Receive messages to one subject."""
        ...

    def take(self, message: ParsedMessage, /) -> bool:
        """Process a large message at once, whose data is valid during the call only.

        Return False if it has to be delivered.
        """
        ...


class FastPath(asyncio.BufferedProtocol):
    """The protocol of one connection's transport, instead of that of `asyncio.StreamReader`."""

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        subscribers: dict[int, Subscriber],
        stats: dict[str, int],
    ) -> None:
        self.writer = writer
        self._subscribers = subscribers
        self._stats = stats
        self._transport: Any = writer.transport
        # The protocol of the streams still handles flow control and the end of the connection.
        self._stream_protocol: Any = writer.transport.get_protocol()
        self._parser = Parser(self._on_messages, self._queue, self._take)
        self._queued: deque[ParsedMessage | bytes] = deque()
        self._outgoing: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False
        self._is_full = self._is_flushing = False
        self._error: Exception | None = None

    @classmethod
    async def attach(
        cls, transport: Any, subscribers: dict[int, Subscriber], stats: dict[str, int]
    ) -> Self | None:
        """Take over a transport of nats-py and the bytes that it has buffered.

        Return None if the transport is not supported.
        """
        if not isinstance(transport, TcpTransport):
            return None
        reader, writer = transport._io_reader, transport._io_writer
        if reader is None or writer is None:
            return None
        fast_path = cls(writer, subscribers, stats)
        writer.transport.set_protocol(fast_path)
        # After `feed_eof`, `read` returns the buffered bytes and does not wait.
        reader.feed_eof()
        fast_path._feed(await reader.read())
        return fast_path

    @property
    def arriving(self) -> tuple[int, str] | None:
        """The subscription and subject of a message of which only a part has arrived."""
        return self._parser.arriving

    def write(self, head: bytes, payload: bytes | memoryview) -> Coroutine[Any, Any, None] | None:
        """Send a message. Return a coroutine to await if the buffer is full, or None.

        A small message waits for `flush` or `flush_soon`, one of which the caller must call. The
        payload must not change until it is sent: the transport may keep a large one without a copy.
        """
        if len(payload) >= _MIN_UNBATCHED_SIZE:
            self.flush()
            if not self._transport.is_closing():
                self._transport.writelines((head, payload, _END))
        else:
            self._outgoing.append(b"".join((head, payload, _END)))
            if len(self._outgoing) == _MAX_BATCH:
                self.flush()
        return self.writer.drain() if self._is_full else None

    def flush_soon(self) -> None:
        """Send the small messages of this iteration of the loop together, in the next one.

        A system call for a hundred of them costs as much as for one.
        """
        if self._outgoing and not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send the small messages."""
        self._is_flushing = False
        if self._outgoing:
            data = b"".join(self._outgoing)
            self._outgoing.clear()
            # The connection may have ended, before nats-py learns of it: uvloop raises an error.
            if not self._transport.is_closing():
                self._transport.write(data)

    async def next(self) -> ParsedMessage | bytes | None:
        """Wait for a message or a protocol line for nats-py; None at the end of the connection.

        Raises: nats-py's `ProtocolError`, and the `OSError` of the socket.
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
        """Send what is buffered, and deliver no more messages."""
        self.flush()
        self._finish(None)

    # -- callbacks of the transport --------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the buffer has one size
        return self._parser.get_buffer()

    def buffer_updated(self, nbytes: int) -> None:
        if self._closed:
            return
        try:
            self._parser.buffer_updated(nbytes)
        except ProtocolError as error:
            _log.warning("invalid data from the server: %s", error)
            self._finish(nats.errors.ProtocolError())

    def eof_received(self) -> bool | None:
        self._finish(None)
        return bool(self._stream_protocol.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc)
        self._stream_protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        self._is_full = True
        self._stream_protocol.pause_writing()

    def resume_writing(self) -> None:
        self._is_full = False
        self._stream_protocol.resume_writing()

    # -- internals -------------------------------------------------------------------------

    def _feed(self, data: bytes) -> None:
        """Parse bytes that arrived before the fast path was attached."""
        while data:
            buffer = self._parser.get_buffer()
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            self.buffer_updated(size)
            data = data[size:]

    def _on_messages(self, messages: list[ParsedMessage]) -> None:
        subscriber = self._subscribers.get(messages[0].sid)
        if subscriber is None:
            for message in messages:
                self._queue(message)
            return
        self._count(messages)
        try:
            subscriber.deliver_all(messages)
        except Exception:  # noqa: BLE001 - as nats-py's callbacks: the connection continues
            _log.exception("cannot process a message to %s", messages[0].subject)

    def _take(self, message: ParsedMessage) -> bool:
        subscriber = self._subscribers.get(message.sid)
        try:
            if subscriber is None or not subscriber.take(message):
                return False
        except Exception:  # noqa: BLE001 - as in `_on_messages`
            _log.exception("cannot take a message to %s", message.subject)
            return False
        self._count([message])
        return True

    def _count(self, messages: Sequence[ParsedMessage]) -> None:
        self._stats["in_msgs"] += len(messages)
        for message in messages:
            self._stats["in_bytes"] += len(message.data)

    def _queue(self, item: ParsedMessage | bytes) -> None:
        self._queued.append(item)
        if len(self._queued) > _MAX_QUEUED:
            self._transport.pause_reading()
        self._wake()

    def _finish(self, error: Exception | None) -> None:
        if not self._closed:
            self._closed, self._error = True, error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def encode_headers(headers: dict[str, str]) -> bytes:
    """Return a header block as NATS sends it."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"NATS/1.0\r\n{lines}\r\n".encode()


def message_size(payload: bytes | memoryview, headers: dict[str, str] | None) -> int:
    """Return the bytes of a message that count towards the server's `max_payload`."""
    return len(payload) + (len(encode_headers(headers)) if headers else 0)


def encode_head(
    subject: str, size: int, reply: str, headers: dict[str, str] | None, max_payload: int
) -> bytes:
    """Return what precedes the payload, of `size` bytes, in a PUB or HPUB protocol message.

    Raises: nats-py's `BadSubjectError`, `MaxPayloadError` (headers and payload together).
    """
    address = f"{subject} {reply}"
    if not address.isprintable() or address.count(" ") != 1:
        raise nats.errors.BadSubjectError
    raw_headers = b"" if headers is None else encode_headers(headers)
    total = len(raw_headers) + size
    if total > max_payload:
        raise nats.errors.MaxPayloadError
    if headers is None:
        return f"PUB {address} {size}\r\n".encode()
    return f"HPUB {address} {len(raw_headers)} {total}\r\n".encode() + raw_headers
